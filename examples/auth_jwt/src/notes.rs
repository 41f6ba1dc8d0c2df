//! Notes that everybody may read and editors may write.

use std::sync::{Mutex, PoisonError};

use wslink::{Principal, Publisher, Topic, service};

pub(crate) struct Notes {
    publisher: Publisher,
    notes: Mutex<Vec<String>>,
}

impl Notes {
    pub(crate) const fn new(publisher: Publisher) -> Self {
        Self { publisher, notes: Mutex::new(Vec::new()) }
    }
}

#[service]
impl Notes {
    /// A note was written.
    #[topic("notes.written")]
    pub const WRITTEN: Topic<String>;

    /// Who wrote what, for those who look after the others.
    #[topic("notes.audit", require = "auditor", retain = last)]
    pub const AUDIT: Topic<(String, usize)>;

    #[rpc("notes.read")]
    fn read(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how many notes there are.
    #[rpc("notes.write", require = "editor")]
    fn write(&self, principal: Principal, text: String) -> usize {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push(text);
        if let Some(text) = notes.last() {
            self.publisher.publish(Self::WRITTEN, text);
        }
        self.publisher.publish(Self::AUDIT, &(principal.name().to_owned(), notes.len()));
        notes.len()
    }
}
