//! A good client that goes on working while others misbehave: its replies must be right, and keep coming.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    harness::{BOTH, Peer, Speaker},
    program::{GOOD, Program, dial},
};

pub(crate) struct Canary {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Sung>,
}

/// What a canary has seen. Times are for reading, not for asserting: the machine is shared.
#[derive(Default)]
pub(crate) struct Sung {
    pub(crate) replies: u32,
    pub(crate) longest_reply: Duration,
    pub(crate) newcomers: u32,
    pub(crate) longest_welcome: Duration,
}

impl Canary {
    pub(crate) fn start(program: &Program) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (address, told) = (program.address, Arc::clone(&stop));
        let newcomer = move |protocol| {
            let mut speaker = Speaker::over(Peer::over(dial(address, GOOD), "/ws", &[]), protocol);
            // Who subscribes to nothing gets replies only.
            let hello = json!([{"secret": "wslink-secret", "extensions": ["subscribe"]}]);
            let welcome = speaker.system("wslink.hello", hello, json!({}));
            assert_eq!(welcome["result"]["extensions"], json!(["subscribe"]), "{welcome}");
            speaker
        };
        let mut resident = newcomer(BOTH[1]);
        let thread = thread::spawn(move || {
            let mut sung = Sung::default();
            // Once at least, however quick the abuse is.
            loop {
                sung.longest_reply = sung.longest_reply.max(call(&mut resident, sung.replies));
                sung.replies += 1;
                if sung.replies % 8 == 1 {
                    let begin = Instant::now();
                    let mut guest = newcomer(BOTH[sung.newcomers as usize % 2]);
                    call(&mut guest, sung.newcomers);
                    sung.longest_welcome = sung.longest_welcome.max(begin.elapsed());
                    sung.newcomers += 1;
                }
                if told.load(Ordering::Relaxed) {
                    return sung;
                }
                thread::sleep(Duration::from_millis(10));
            }
        });
        Self { stop, thread }
    }

    /// Fails when a reply was wrong, or the connection lost.
    pub(crate) fn stop(self) -> Sung {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the canary lives")
    }
}

/// Asserts that the reply is right; `call` itself asserts that it is the reply to this call, and the next message.
fn call(speaker: &mut Speaker, number: u32) -> Duration {
    let begin = Instant::now();
    let reply = speaker.call("kit.echo", json!([number, "text"]));
    assert_eq!(reply["result"]["args"], json!([number, "text"]));
    begin.elapsed()
}
