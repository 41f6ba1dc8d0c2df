//! The events of one subscription to a topic: their order, and which may be missing.

use wslink_core::{Delivery, session::Continuity};

use super::{
    ledger::{Facts, Publication},
    topics::{KEYED, TOPICS},
};

/// What the checks know of a subscription. Numbers are places among the publications of its topic.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    topic: usize,
    /// The client of the hub that is subscribed, once it is known.
    client: usize,
    /// It began after the publications before `after`, and before those from `by` on, once that is known.
    after: u32,
    by: Option<u32>,
    /// Nothing else of this topic can reach the subscription, such as events of another one that ended.
    clean: bool,
    phase: Phase,
    last: Option<u32>,
    /// The last one of each key.
    last_of_key: [Option<u32>; 4],
    /// The last three.
    newest: Vec<u32>,
    /// Events that the server said are missing, since the last one that came: at least and at most.
    missed: (u64, u64),
    /// When it last said so, events before this one were published.
    told_at: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Nothing has come.
    Starting,
    /// What the topic retained has come, or the first event.
    Begun,
    /// What comes next is known.
    Running,
}

impl Flow {
    pub(crate) const fn new(topic: usize, client: usize, after: u32, clean: bool) -> Self {
        let phase = Phase::Starting;
        Self {
            topic,
            client,
            after,
            by: None,
            clean,
            phase,
            last: None,
            last_of_key: [None; 4],
            newest: Vec::new(),
            missed: (0, 0),
            told_at: 0,
        }
    }

    pub(crate) const fn topic(&self) -> usize {
        self.topic
    }

    /// The server has confirmed the subscription.
    pub(crate) fn confirmed(&mut self, facts: &Facts) {
        self.by.get_or_insert(count(facts, self.topic));
    }

    /// The subscription goes on with another connection.
    pub(crate) fn resumed(&mut self, continuity: Continuity, facts: &Facts) {
        match continuity {
            Continuity::Resumed => {}
            Continuity::Gap { missed } => {
                self.missed = (self.missed.0 + missed, self.missed.1 + missed);
                self.told_at = count(facts, self.topic);
            }
            other => panic!("a flow that begins anew is another one: {other:?}"),
        }
    }

    /// The next event has come.
    pub(crate) fn event(&mut self, number: u32, facts: &Facts) {
        let publications = &facts.publications[self.topic];
        let publication = publications[number as usize];
        let info = &TOPICS[self.topic];
        let by = self.by.unwrap_or_else(|| count(facts, self.topic));
        let is_for_all = |publication: Publication| facts.is_for_all(publication, self.client);
        let is_retained = info.retains && is_for_all(publication) && self.phase == Phase::Starting && number < by;
        assert!(self.is_receiver(publication) || is_retained, "event {number} is not for this client");
        // Before the subscription began there may have been another one, whose events were on their way.
        if !self.clean && number < by {
            self.see(number, publication);
            return;
        }
        let last = if self.topic == KEYED { self.last_of_key[key(publication)] } else { self.last };
        assert!(last.is_none_or(|last| number > last), "event {number} comes after {last:?}");
        if number < self.after {
            assert!(is_retained, "event {number} is older than the subscription, which began after {}", self.after);
            let newer = publications[number as usize + 1..self.after as usize].iter().any(|newer| is_for_all(*newer));
            assert!(!newer, "event {number} was not the last one that the topic retained");
        }
        if self.phase == Phase::Starting && self.clean && info.retains && !is_retained {
            let retained = publications[..self.after as usize].iter().any(|publication| is_for_all(*publication));
            assert!(!retained, "event {number} comes where the retained one was to come");
        }
        if is_retained {
            // What is missing is newer than what was retained, if this is it.
            self.missed.0 = 0;
        } else {
            self.account_for(number, facts, by);
            self.missed = (0, 0);
        }
        self.phase = if info.retains && number < by && self.phase == Phase::Starting { Phase::Begun } else { Phase::Running };
        self.see(number, publication);
    }

    /// Compares the events that were left out with those that the server said are missing.
    fn account_for(&self, number: u32, facts: &Facts, by: u32) {
        let publications = &facts.publications[self.topic];
        let from = self.last.map_or(self.after, |last| last + 1).min(number);
        let kept_from = self.kept_from(facts);
        let left_out = (from..number).zip(&publications[from as usize..number as usize]);
        let (mut may, mut must) = (0, 0);
        for (at, publication) in left_out.filter(|(_, publication)| self.is_receiver(**publication)) {
            may += 1;
            let was_subscribed = match self.phase {
                Phase::Starting => at >= by,
                Phase::Begun => at >= by || facts.is_for_all(*publication, self.client),
                Phase::Running => true,
            };
            must += u64::from(was_subscribed && at >= kept_from && TOPICS[self.topic].is_reliable());
        }
        let Self { missed: (at_least, at_most), last, .. } = *self;
        assert!(must <= at_most, "after {last:?} comes {number}: {must} events are left out, the server said {at_most}");
        if self.clean && self.topic != KEYED {
            assert!(at_least <= may, "after {last:?} comes {number}: the server said {at_least} are missing, {may} at most are");
        }
    }

    fn see(&mut self, number: u32, publication: Publication) {
        self.last = self.last.max(Some(number));
        if self.newest.len() == 3 {
            self.newest.remove(0);
        }
        self.newest.push(number);
        let of_key = &mut self.last_of_key[key(publication)];
        *of_key = (*of_key).max(Some(number));
    }

    fn is_receiver(&self, publication: Publication) -> bool {
        publication.receivers >> self.client & 1 == 1
    }

    /// Everything that was published since the subscription was confirmed has arrived; of a topic that may lose events,
    /// the last one has.
    pub(crate) fn check_complete(&self, facts: &Facts) {
        self.check_until(facts, count(facts, self.topic));
        if let Delivery::DropOldest(count) = TOPICS[self.topic].delivery {
            let newest = &facts.publications[self.topic];
            let newest = (0..).zip(newest).filter(|(_, publication)| self.is_receiver(**publication)).map(|(number, _)| number);
            let newest: Vec<u32> = newest.collect();
            assert!(newest.ends_with(&self.newest), "the last {count} events are {newest:?}, not {:?}", self.newest);
            assert_eq!(self.newest.len(), count, "the last events that arrived");
        }
    }

    /// The same, for the events before `until`.
    pub(crate) fn check_until(&self, facts: &Facts, until: u32) {
        let publications = &facts.publications[self.topic][..until as usize];
        let Some(by) = self.by else { return };
        // Those before may be among the events that the server said are missing.
        let from = by.max(self.kept_from(facts)).max(self.told_at).min(until) as usize;
        let keys = if self.topic == KEYED { 1..4 } else { 0..1 };
        for of_key in keys {
            let is_last = |publication: &Publication| {
                self.is_receiver(*publication) && (self.topic != KEYED || key(*publication) == of_key)
            };
            let Some(last) = publications[from..].iter().rposition(is_last) else { continue };
            let seen = if self.topic == KEYED { self.last_of_key[of_key] } else { self.last };
            let (uri, last) = (TOPICS[self.topic].uri, from + last);
            assert!(seen.is_some_and(|seen| seen as usize >= last), "the last event of {uri}, key {of_key}: {last} ({self:?})");
        }
    }

    /// Events that wait are withheld when the client becomes another principal.
    fn kept_from(&self, facts: &Facts) -> u32 {
        if TOPICS[self.topic].for_alice { facts.clients[self.client].changed_at[self.topic] } else { 0 }
    }
}

fn key(publication: Publication) -> usize {
    usize::try_from(publication.key).unwrap_or_default().min(3)
}

/// How many events were published on a topic.
pub(crate) fn count(facts: &Facts, topic: usize) -> u32 {
    u32::try_from(facts.publications[topic].len()).unwrap()
}

/// The events of a subscription with a stream of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamFlow {
    pub(crate) is_reliable: bool,
    pub(crate) count: u32,
    next: u32,
}

impl StreamFlow {
    pub(crate) const fn new(is_reliable: bool, count: u32) -> Self {
        Self { is_reliable, count, next: 0 }
    }

    pub(crate) fn event(&mut self, number: u32) {
        let next = self.next;
        assert!(number >= next && number < self.count, "item {number} of a stream of {} comes after {next}", self.count);
        assert!(!self.is_reliable || number == next, "item {number} comes where {next} is the next");
        self.next = number + 1;
    }

    /// The stream begins anew.
    pub(crate) const fn restart(&mut self) {
        self.next = 0;
    }

    /// The stream has ended; one that is `restricted` may end because its client may not see it any more.
    pub(crate) fn check_end(&self, restricted: bool) {
        assert!(restricted || self.next == self.count, "the stream ends after {} of {} items", self.next, self.count);
    }
}
