//! The protocols of a server: which they are, and which of them a connection speaks.

use super::{ALL, FrameKind, Protocol};
use crate::Error;

/// The protocols that clients of a server may speak.
#[derive(Clone)]
pub struct Protocols(Vec<&'static dyn Protocol>);

impl Protocols {
    /// More protocols than this cannot be served at once.
    pub const MAX: usize = 4;

    /// These protocols, of which a connection speaks the first that fits.
    ///
    /// # Errors
    /// There are none or too many, two have the same name, or no connection could ever speak one of them.
    pub fn new(protocols: impl IntoIterator<Item = &'static dyn Protocol>) -> Result<Self, Error> {
        let protocols: Vec<_> = protocols.into_iter().collect();
        if !(1..=Self::MAX).contains(&protocols.len()) {
            let (count, max) = (protocols.len(), Self::MAX);
            return Err(Error::Setting(format!(
                "a server speaks 1 to {max} protocols, not {count}; serve others by another server"
            )));
        }
        for (at, protocol) in protocols.iter().enumerate() {
            for other in &protocols[..at] {
                if other.name() == protocol.name() {
                    return Err(Error::Setting(format!("two protocols are called `{}`; rename one of them", protocol.name())));
                }
                let how = |protocol: &dyn Protocol| {
                    (protocol.subprotocol(), protocol.subprotocol().is_none().then(|| protocol.first_frame()))
                };
                if how(*other) == how(*protocol) {
                    return Err(Error::Setting(format!(
                        "nothing tells connections of `{}` from those of `{}`; give one of them another `subprotocol`",
                        protocol.name(),
                        other.name(),
                    )));
                }
            }
        }
        Ok(Self(protocols))
    }

    /// The protocol of a connection: the one that the WebSocket handshake agreed on, else the one whose connections
    /// begin with a frame of this kind.
    #[must_use]
    pub fn choose(&self, subprotocol: Option<&str>, first: FrameKind) -> Option<&'static dyn Protocol> {
        let agreed = |protocol: &&dyn Protocol| protocol.subprotocol().is_some() && protocol.subprotocol() == subprotocol;
        let begins = |protocol: &&dyn Protocol| protocol.subprotocol().is_none() && protocol.first_frame() == first;
        self.iter().find(agreed).or_else(|| self.iter().find(begins))
    }

    /// Each of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn Protocol> {
        self.0.iter().copied()
    }
}

/// Those of [`ALL`].
impl Default for Protocols {
    fn default() -> Self {
        Self(ALL.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{V1, V2},
        *,
    };

    #[test]
    fn protocols_that_cannot_be_served_together_are_refused() {
        let refused = |protocols: &[&'static dyn Protocol]| match Protocols::new(protocols.iter().copied()) {
            Err(Error::Setting(text)) => text,
            _ => panic!("not refused"),
        };
        assert!(refused(&[]).contains("1 to 4 protocols, not 0"));
        assert!(refused(&[V1; 5]).contains("not 5"));
        assert!(refused(&[V1, V2, V1]).contains("two protocols are called `v1`"));
        assert_eq!(Protocols::new([V2]).unwrap().choose(None, FrameKind::Text).map(Protocol::name), None);
    }
}
