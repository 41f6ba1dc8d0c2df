//! The application, started: logged in by the form, and known by the cookie on the WebSocket.
#![allow(
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "tests read better so, and one that cannot go on has failed"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client::IntoClientRequest};

struct Application {
    child: Child,
    address: String,
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Application {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wslink-example-auth-cookie"));
        let mut child = command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, address }
    }

    fn dial(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    fn http(&self, request: &str, body: &str) -> String {
        let mut stream = self.dial();
        let head = format!("{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        write!(stream, "{head}{form}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The cookie of a new login.
    fn log_in(&self, name: &str) -> String {
        let answer = self.http("POST /login", &format!("name={name}&password=open+sesame"));
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }

    fn connect(
        &self,
        cookie: Option<&str>,
        origin: &str,
    ) -> Result<Page, Box<tungstenite::HandshakeError<tungstenite::ClientHandshake<TcpStream>>>> {
        let mut request = format!("ws://{}/ws", self.address).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        if let Some(cookie) = cookie {
            request.headers_mut().insert("cookie", format!("theme=dark; {cookie}").parse().unwrap());
        }
        let (socket, _) = tungstenite::client(request, self.dial())?;
        Ok(Page { socket })
    }

    fn page(&self, cookie: Option<&str>) -> Page {
        self.connect(cookie, &format!("http://{}", self.address)).unwrap()
    }
}

struct Page {
    socket: WebSocket<TcpStream>,
}

impl Page {
    fn call(&mut self, id: &str, method: &str, args: Value) -> Value {
        let message = json!({"wslink": "1.0", "id": id, "method": method, "args": args});
        self.socket.send(Message::text(message.to_string())).unwrap();
        let reply: Value = serde_json::from_str(self.socket.read().unwrap().to_text().unwrap()).unwrap();
        assert_eq!(reply["id"], id, "{reply}");
        reply
    }

    fn hello(&mut self) -> Value {
        self.call("system:1", "wslink.hello", json!([{}]))
    }
}

#[test]
fn a_login_admits_its_pages_and_a_logout_does_not_any_more() {
    let application = Application::start();
    assert!(application.http("GET /", "").contains("<h1 id=\"greeting\">"));
    assert!(application.http("POST /login", "name=alice&password=guess").starts_with("HTTP/1.1 401"));

    let (alice, bob) = (application.log_in("alice"), application.log_in("bob"));
    for (cookie, name) in [(&alice, "alice"), (&bob, "bob"), (&alice, "alice")] {
        let mut page = application.page(Some(cookie));
        assert!(page.hello()["result"]["clientID"].is_string());
        assert_eq!(page.call("rpc:1", "members.greet", json!([]))["result"], format!("Hello, {name}!"));
    }
    for cookie in [None, Some("session=00000000000000000000000000000000")] {
        let mut page = application.page(cookie);
        assert_eq!(page.hello()["error"]["message"], "Authentication failed");
        assert_eq!(page.call("rpc:1", "members.greet", json!([]))["error"]["code"], -32000);
    }

    let mut page = application.page(Some(&alice));
    page.hello();
    page.call("rpc:1", "members.log_out", json!([]));
    assert_eq!(application.page(Some(&alice)).hello()["error"]["code"], -32000);
    assert!(application.page(Some(&bob)).hello()["result"].is_object());
}

#[test]
fn another_site_cannot_use_the_cookie() {
    let application = Application::start();
    let cookie = application.log_in("alice");
    assert!(application.connect(Some(&cookie), "https://evil.example.com").is_err());
}
