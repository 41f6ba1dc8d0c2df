//! Checks the `Origin` and `Host` of a handshake.
//!
//! Browsers let any page connect anywhere, so the server checks the origin of the page. A page may also point its own
//! host name at this machine, so the server checks the host name.

use std::{fmt, net::IpAddr};

use http::{Request, header};

use super::client_address::ClientAddress;
use crate::Error;

/// What is admitted beyond the server's own addresses.
#[derive(Debug, Default)]
pub(crate) struct OriginPolicy {
    /// Serialised origins, compared exactly.
    pub(crate) origins: Vec<String>,
    /// Host names without port.
    pub(crate) hosts: Vec<String>,
    /// Whether pages of every origin are admitted.
    any_origin: bool,
    /// Whether the server is reached by every name.
    any_host: bool,
}

/// Why a handshake is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    NoHost,
    Host(String),
    Origin(String),
}

impl Rejection {
    /// As it is counted.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::NoHost | Self::Host(_) => "host",
            Self::Origin(_) => "origin",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("the request names no single host"),
            Self::Host(host) => {
                let host = cut(host);
                write!(f, "host {host:?} is not one of this server's; allow it with `allow_host` or `--allow-host`")
            }
            Self::Origin(origin) => {
                let origin = cut(origin);
                write!(f, "origin {origin:?} may not connect; allow it with `allow_origin` or `--allow-origin`")
            }
        }
    }
}

/// What a peer wrote, as much of it as anybody reads.
fn cut(text: &str) -> &str {
    /// As long as a host name can be.
    const LONGEST: usize = 253;
    &text[..text.floor_char_boundary(LONGEST)]
}

/// What admits everything.
const ANY: &str = "any";

impl OriginPolicy {
    /// Brings what the program and its operator wrote into the form that requests are compared with.
    ///
    /// # Errors
    /// An entry could never match a request.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        if self.origins.iter().any(|origin| origin == ANY) {
            tracing::warn!("pages of every origin may connect: whoever shows a browser here a page can use this server");
            self.any_origin = true;
        }
        if self.hosts.iter().any(|host| host == ANY) {
            tracing::warn!("every host name is admitted: any page can reach this server by pointing its own name here");
            self.any_host = true;
        }
        for origin in self.origins.iter_mut().filter(|origin| *origin != ANY) {
            if origin.trim().eq_ignore_ascii_case("null") {
                let text = "`null` is the origin of local files and of every page in a sandbox, so it admits any page; write `any` if \
                            that is meant, or serve the page and allow its origin";
                return Err(Error::Setting(text.into()));
            }
            *origin = normal_origin(origin).map_err(|form| {
                Error::Setting(format!("no page has the origin `{origin}`, so it could never connect; write {form}"))
            })?;
        }
        for host in self.hosts.iter_mut().filter(|host| *host != ANY) {
            *host = normal_host(host).ok_or_else(|| {
                Error::Setting(format!(
                    "`{host}` is no host name that a request could be for; write one like `render.example.com`, each by itself, \
                     or `any` for all"
                ))
            })?;
        }
        Ok(())
    }

    /// Whether the request is for this server.
    pub(super) fn admit_host<'a, B>(&self, request: &'a Request<B>) -> Result<Host<'a>, Rejection> {
        let host = requested_host(request).ok_or(Rejection::NoHost)?;
        let known = |name: &str| self.any_host || self.hosts.iter().any(|host| host.eq_ignore_ascii_case(rootless(name)));
        // An address in `Host` is safe: only a name can be pointed at another machine.
        if !(host.address().is_some() || host.is_loopback() || known(host.name)) {
            return Err(Rejection::Host(host.name.to_owned()));
        }
        Ok(host)
    }

    /// Whether the request is for this server, and from a page that may use it.
    pub(super) fn admit<B>(&self, request: &Request<B>) -> Result<(), Rejection> {
        let host = self.admit_host(request)?;
        let mut origins = request.headers().get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next().filter(|_| !self.any_origin) else { return Ok(()) };
        let refusal = || Rejection::Origin(String::from_utf8_lossy(origin.as_bytes()).into_owned());
        let text = origin.to_str().map_err(|_| refusal())?;
        if origins.next().is_some() {
            return Err(refusal());
        }
        if self.origins.iter().any(|allowed| allowed == text) {
            return Ok(());
        }
        let (scheme, authority) = text.split_once("://").ok_or_else(refusal)?;
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(refusal()),
        };
        let origin = Host::parse(authority).ok_or_else(refusal)?;
        let same_port = origin.port.unwrap_or(default_port) == host.port.unwrap_or(default_port);
        // A page that was not encrypted may be anybody's, so it is not the encrypted site's own.
        let secure = request.extensions().get::<ClientAddress>().and_then(|client| client.secure);
        let same_scheme = secure.is_none_or(|secure| secure == (scheme == "https"));
        let same_host = same_scheme && same_port && origin.name.eq_ignore_ascii_case(host.name);
        let same_machine = origin.is_loopback() && (host.is_loopback() || same_port && is_peers_own(request, &host));
        if same_host || same_machine { Ok(()) } else { Err(refusal()) }
    }
}

/// Whether the peer is at the very address that it connects to: then it is on this machine, and what it calls
/// loopback is this server's, too.
fn is_peers_own<B>(request: &Request<B>, host: &Host<'_>) -> bool {
    let peer = request.extensions().get::<ClientAddress>().filter(|client| !client.is_proxy).and_then(|client| client.address);
    peer.is_some_and(|peer| host.address() == Some(peer.ip().to_canonical()))
}

/// A serialised origin as browsers write it, or the form that there should be.
fn normal_origin(given: &str) -> Result<String, String> {
    let given = given.trim();
    let Some((scheme, rest)) = given.split_once("://") else {
        return Err(match Host::parse(given.trim_end_matches('/')) {
            Some(_) if !given.contains('*') => format!("`https://{}`", given.trim_end_matches('/').to_ascii_lowercase()),
            _ => "one like `https://app.example.com`, or `any` for all".to_owned(),
        });
    };
    let scheme = scheme.to_ascii_lowercase();
    let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
    let without_path = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host =
        Host::parse(without_path).filter(|_| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)));
    let Some(host) = host else {
        return Err("one like `https://app.example.com`, each by itself, or `any` for all".to_owned());
    };
    let usual = matches!((scheme.as_str(), host.port), ("http", Some(80)) | ("https", Some(443)));
    let bare = without_path.rsplit_once(':').map_or(without_path, |(name, _)| name);
    let origin = format!("{scheme}://{}", if usual { bare } else { without_path });
    if without_path == authority { Ok(origin) } else { Err(format!("`{origin}`: an origin has no path")) }
}

/// A host name as requests have it, without what only URLs have.
fn normal_host(given: &str) -> Option<String> {
    let given = given.trim();
    let given = given.split_once("://").map_or(given, |(_, rest)| rest);
    let given = given.strip_suffix('/').unwrap_or(given);
    // An IPv6 address without brackets is one as it stands.
    if given.parse::<IpAddr>().is_ok() {
        return Some(given.to_ascii_lowercase());
    }
    Host::parse(given).map(|host| rootless(host.name).to_ascii_lowercase()).filter(|host| !host.is_empty())
}

/// A name with the dot of the root of all names is the name.
fn rootless(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// The one host that a request is for.
fn requested_host<B>(request: &Request<B>) -> Option<Host<'_>> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let forwarded = request.extensions().get::<ClientAddress>().and_then(|client| client.host.as_deref());
    let authority = match (forwarded, hosts.next(), hosts.next()) {
        (Some(host), ..) => host,
        (None, Some(host), None) => host.to_str().ok()?,
        (None, None, None) => request.uri().authority()?.as_str(),
        _ => return None,
    };
    Host::parse(authority)
}

/// A host name or address with its port, if given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Host<'a> {
    /// Without the brackets of an IPv6 address.
    name: &'a str,
    port: Option<u16>,
}

impl<'a> Host<'a> {
    fn parse(authority: &'a str) -> Option<Self> {
        let (name, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (name, port) = rest.split_once(']')?;
                name.parse::<std::net::Ipv6Addr>().ok()?;
                (name, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None => authority.split_once(':').map_or((authority, None), |(name, port)| (name, Some(port))),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if name.is_empty() || !name.chars().all(plain) {
            return None;
        }
        let port = match port {
            None => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
        };
        Some(Self { name, port })
    }

    fn address(&self) -> Option<IpAddr> {
        self.name.parse().ok()
    }

    fn is_loopback(&self) -> bool {
        let name = rootless(self.name).to_ascii_lowercase();
        // RFC 6761, 6.3: names below `localhost` are this machine as well, and resolvers see to it.
        name == "localhost" || name.ends_with(".localhost") || self.address().is_some_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(host: &str, origin: Option<&str>) -> Result<(), Rejection> {
        policy(&["https://app.example.com"], &["render.example.com"]).unwrap().admit(&request(host, origin))
    }

    fn policy(origins: &[&str], hosts: &[&str]) -> Result<OriginPolicy, String> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let mut policy = OriginPolicy { origins: owned(origins), hosts: owned(hosts), ..OriginPolicy::default() };
        policy.check().map(|()| policy).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_in_another_form_is_brought_into_the_right_one() {
        for (given, origin) in [
            ("https://app.example.com/", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:80/", "http://app.example.com"),
            ("HTTPS://App.Example.com:8443", "https://app.example.com:8443"),
            ("http://[::1]:5173", "http://[::1]:5173"),
            ("http://[::1]:80", "http://[::1]"),
            ("tauri://localhost", "tauri://localhost"),
        ] {
            assert_eq!(policy(&[given], &[]).unwrap().origins, [origin], "{given}");
        }
        for (given, host) in [
            ("host.example:8443", "host.example"),
            ("https://Host.example/", "host.example"),
            ("host.example.", "host.example"),
            ("[::1]:80", "::1"),
            ("::", "::"),
        ] {
            assert_eq!(policy(&[], &[given]).unwrap().hosts, [host], "{given}");
        }
    }

    #[test]
    fn what_could_never_match_is_refused_with_the_right_form() {
        for (given, form) in [
            ("app.example.com", "`https://app.example.com`"),
            ("*", "`any`"),
            ("https://*.example.com", "`any`"),
            ("https://app.example.com/viewer", "`https://app.example.com`: an origin has no path"),
            ("null", "admits any page; write `any`"),
            ("", "one like"),
        ] {
            let said = policy(&[given], &[]).unwrap_err();
            assert!(said.contains(form), "{given}: {said}");
        }
        for given in ["*.example.com", "", "a b", "https://"] {
            assert!(policy(&[], &[given]).unwrap_err().contains("render.example.com"), "{given}");
        }
    }

    #[test]
    fn any_is_everything() {
        let admits = |origin_policy: &OriginPolicy, host, origin| origin_policy.admit(&request(host, origin)).is_ok();
        let origins = policy(&["any"], &[]).unwrap();
        assert!(admits(&origins, "localhost", Some("http://evil.example")) && admits(&origins, "localhost", Some("null")));
        assert!(!admits(&origins, "evil.example", None));
        let hosts = policy(&[], &["any"]).unwrap();
        assert!(admits(&hosts, "evil.example", None) && !admits(&hosts, "evil.example", Some("http://other.example")));
    }

    #[test]
    fn every_name_of_this_machine_is_its_own() {
        for host in ["localhost.", "app.localhost", "App.LocalHost:8080", "render.example.com."] {
            assert_eq!(admit(host, None), Ok(()), "{host}");
        }
        assert_eq!(admit("app.localhost:8080", Some("http://app.localhost:8080")), Ok(()));
        assert!(admit("localhost.evil.example", None).is_err() && admit("evillocalhost", None).is_err());
    }

    #[test]
    fn a_page_of_loopback_may_connect_to_the_same_machines_other_address() {
        let admission = OriginPolicy::default();
        let admit = |peer: &str, origin| {
            let mut request = request("192.168.1.5:8080", Some(origin));
            request
                .extensions_mut()
                .insert(ClientAddress { address: Some(format!("{peer}:50000").parse().unwrap()), ..ClientAddress::default() });
            admission.admit(&request)
        };
        assert_eq!(admit("192.168.1.5", "http://127.0.0.1:8080"), Ok(()));
        assert!(admit("192.168.1.6", "http://127.0.0.1:8080").is_err(), "the loopback of another machine");
        assert!(admit("192.168.1.5", "http://127.0.0.1:5173").is_err(), "another server of this machine");
    }

    #[test]
    fn a_refusal_is_as_short_as_what_it_is_of_should_be() {
        let refusal = admit("localhost", Some(&format!("http://{}", "ä".repeat(10_000)))).unwrap_err().to_string();
        assert!(refusal.len() < 400, "{refusal}");
    }

    fn request(host: &str, origin: Option<&str>) -> Request<()> {
        let request = Request::get("/ws").header(header::HOST, host);
        origin.into_iter().fold(request, |request, origin| request.header(header::ORIGIN, origin)).body(()).unwrap()
    }

    #[test]
    fn programs_and_own_pages_are_admitted() {
        for (host, origin) in [
            ("127.0.0.1:8080", None),
            ("[::1]:8080", Some("http://[::1]:8080")),
            ("localhost:8080", Some("http://localhost:5173")),
            ("127.0.0.1:8080", Some("https://localhost")),
            ("192.168.1.5:8080", Some("http://192.168.1.5:8080")),
            ("render.example.com", Some("https://render.example.com")),
            ("Render.Example.com:443", Some("https://render.example.com")),
            ("render.example.com", Some("https://app.example.com")),
        ] {
            assert_eq!(admit(host, origin), Ok(()), "{host} {origin:?}");
        }
    }

    #[test]
    fn other_pages_are_refused() {
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://render.example.com.evil.example",
            "http://evil-render.example.com",
            "https://render.example.com:444",
            "http://render.example.com",
            "https://app.example.com.evil.example",
            "http://app.example.com",
            "https://render.example.com@evil.example",
            "http://localhost",
            "file://",
            "ws://render.example.com",
        ] {
            assert!(matches!(admit("render.example.com:443", Some(origin)), Err(Rejection::Origin(_))), "{origin}");
        }
        assert!(admit("192.168.1.5", Some("http://localhost:5173")).is_err());
    }

    #[test]
    fn names_that_are_not_ours_are_refused_even_by_their_own_pages() {
        assert_eq!(admit("evil.example", Some("http://evil.example")), Err(Rejection::Host("evil.example".into())));
        assert_eq!(admit("evil.example", None), Err(Rejection::Host("evil.example".into())));
        assert_eq!(admit("a b", None), Err(Rejection::NoHost));
        assert!(admit("render.example.com.evil.example", None).is_err());
    }

    #[test]
    fn what_a_trusted_proxy_was_asked_for_counts() {
        let admission = policy(&[], &["render.example.com"]).unwrap();
        let admit = |host: &str, secure, origin| {
            let mut request = request("10.0.0.7:8080", Some(origin));
            request.extensions_mut().insert(ClientAddress { host: Some(host.into()), secure, ..ClientAddress::default() });
            admission.admit(&request)
        };
        assert_eq!(admit("render.example.com", Some(true), "https://render.example.com"), Ok(()));
        assert_eq!(admit("render.example.com", None, "http://render.example.com"), Ok(()));
        assert!(admit("render.example.com", Some(true), "http://render.example.com").is_err(), "a page that was not encrypted");
        assert!(admit("render.example.com", Some(true), "http://10.0.0.7:8080").is_err());
        assert_eq!(admit("evil.example", Some(true), "https://evil.example"), Err(Rejection::Host("evil.example".into())));
        assert_eq!(admit("a, b", Some(true), "https://a"), Err(Rejection::NoHost));
    }
}
