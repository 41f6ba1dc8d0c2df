//! The client's side of the WebSocket handshake: its request, and what the answer must be (RFC 6455, 4.1).

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tungstenite::{
    handshake::{
        client::{Request, Response, generate_key, generate_request},
        derive_accept_key,
        machine::TryParse,
    },
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{
            CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
        },
    },
};

use super::{ConnectError, refused};

/// A longer header is no answer to a handshake.
const MAX_HEADER: usize = 16 * 1024;

/// Headers of the program's own for the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers(HeaderMap);

impl Headers {
    /// Adds a header; the text of an error says what is wrong with it.
    #[cfg(feature = "client")]
    pub(crate) fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        let header = HeaderName::try_from(name).map_err(|_| format!("`{name}` is no name of a header"))?;
        let reserved = ["connection", "content-length", "transfer-encoding", "upgrade"];
        if reserved.contains(&header.as_str()) || header.as_str().starts_with("sec-websocket-") {
            return Err(format!("`{name}` is set by the WebSocket handshake itself"));
        }
        let mut value = http::HeaderValue::try_from(value)
            .map_err(|_| format!("the value of `{name}` has characters that no header may have"))?;
        // It may be a credential.
        value.set_sensitive(true);
        self.0.append(header, value);
        Ok(())
    }
}

/// Does the handshake that `request` begins; returns the bytes that already came after it.
pub(super) async fn shake_hands(
    mut request: Request,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    headers: &Headers,
) -> Result<Vec<u8>, ConnectError> {
    for name in headers.0.keys() {
        request.headers_mut().remove(name);
    }
    request.headers_mut().extend(headers.0.clone());
    // A key is for one connection.
    if let Ok(value) = generate_key().parse() {
        request.headers_mut().insert(SEC_WEBSOCKET_KEY, value);
    }
    let (bytes, key) = generate_request(request).map_err(refused)?;
    stream.write_all(&bytes).await?;
    let (response, rest) = read_response(stream).await?;
    check(&response, &key).map_err(refused)?;
    Ok(rest)
}

/// The head of the response, and the bytes that came with it.
pub(super) async fn read_response(stream: &mut (impl AsyncRead + Unpin)) -> Result<(Response, Vec<u8>), ConnectError> {
    let mut read = Vec::with_capacity(1024);
    loop {
        if read.len() > MAX_HEADER || stream.read_buf(&mut read).await? == 0 {
            return Err(refused("it ended the connection instead of answering"));
        }
        if let Some((len, response)) = Response::try_parse(&read).map_err(refused)? {
            return Ok((response, read.split_off(len)));
        }
    }
}

/// Whether the response opens the WebSocket that was asked for, without extensions and subprotocols; else why not.
fn check(response: &Response, key: &str) -> Result<(), String> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(format!("it answered {} and no WebSocket", response.status()));
    }
    let has_token = |name: HeaderName, token: &str| {
        let values = response.headers().get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    if !has_token(UPGRADE, "websocket") || !has_token(CONNECTION, "upgrade") {
        return Err("it switched to something else than WebSocket".to_owned());
    }
    if response.headers().get(SEC_WEBSOCKET_ACCEPT).is_none_or(|value| value != derive_accept_key(key.as_bytes()).as_str()) {
        return Err("its `Sec-WebSocket-Accept` does not fit the request: a proxy may have answered from a cache".to_owned());
    }
    for (name, what) in [(SEC_WEBSOCKET_EXTENSIONS, "an extension"), (SEC_WEBSOCKET_PROTOCOL, "a subprotocol")] {
        if let Some(value) = response.headers().get(name).filter(|value| !value.is_empty()) {
            return Err(format!("it chose {what} that it was not offered: {value:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    /// The verdict on a response to the request with `KEY`, whose lines are these.
    fn verdict(lines: &[&str]) -> Result<(), String> {
        let text = format!("{}\r\n\r\n", lines.join("\r\n"));
        let (_, response) = Response::try_parse(text.as_bytes()).unwrap().unwrap();
        check(&response, KEY)
    }

    #[test]
    fn a_response_must_be_one_to_the_request() {
        const SWITCHES: &str = "HTTP/1.1 101 Switching Protocols";
        const ACCEPTS: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        verdict(&[SWITCHES, "upgrade: WebSocket", "connection: keep-alive, Upgrade", ACCEPTS]).unwrap();
        for (lines, why) in [
            (&["HTTP/1.1 200 OK", "Upgrade: websocket", "Connection: Upgrade", ACCEPTS][..], "200"),
            (&[SWITCHES, "Connection: Upgrade", ACCEPTS], "something else"),
            (&[SWITCHES, "Upgrade: h2c", "Connection: Upgrade", ACCEPTS], "something else"),
            (&[SWITCHES, "Upgrade: websocket", ACCEPTS], "something else"),
            (&[SWITCHES, "Upgrade: websocket", "Connection: close", ACCEPTS], "something else"),
            (&[SWITCHES, "Upgrade: websocket", "Connection: Upgrade"], "Accept"),
            (&[SWITCHES, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: xOo="], "Accept"),
            (
                &[SWITCHES, "Upgrade: websocket", "Connection: Upgrade", ACCEPTS, "Sec-WebSocket-Extensions: permessage-deflate"],
                "extension",
            ),
            (&[SWITCHES, "Upgrade: websocket", "Connection: Upgrade", ACCEPTS, "Sec-WebSocket-Protocol: mqtt"], "subprotocol"),
        ] {
            let refusal = verdict(lines).unwrap_err();
            assert!(refusal.contains(why), "{lines:?}: {refusal}");
        }
    }

    #[test]
    #[cfg(feature = "client")]
    fn headers_of_the_handshake_are_not_the_programs() {
        let mut headers = Headers::default();
        headers.add("Authorization", "Bearer abc").unwrap();
        headers.add("Origin", "https://example.org").unwrap();
        for (name, value) in [("Sec-WebSocket-Key", "x"), ("upgrade", "x"), ("no name", "x"), ("X-Text", "two\r\nlines")] {
            assert!(headers.add(name, value).is_err(), "{name}: {value:?}");
        }
    }
}
