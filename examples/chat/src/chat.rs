//! The methods, as clients of the original example call them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;
use wslink::{Publisher, Topic, service};

const LINES: [&str; 3] = ["Nice to meet you", "What's your name?", "Mine is wslink.py"];
const PERIOD: Duration = Duration::from_secs(5);

/// The service.
pub(crate) struct Chat {
    publisher: Publisher,
    talk: Arc<Mutex<Talk>>,
}

/// Where the server is in what it has to say.
#[derive(Default)]
struct Talk {
    index: usize,
    talking: Option<JoinHandle<()>>,
}

impl Chat {
    /// The service, silent until it is told to talk.
    pub(crate) fn silent(publisher: Publisher) -> Self {
        Self { publisher, talk: Arc::default() }
    }

    /// The service, talking.
    #[allow(dead_code, reason = "the recorded exchanges are replayed against a silent one")]
    pub(crate) fn talking(publisher: Publisher) -> Self {
        let chat = Self::silent(publisher);
        chat.talk();
        chat
    }

    /// Says the next line now and every few seconds, in place of whatever was said before.
    fn talk(&self) {
        let task = tokio::spawn(talk(self.publisher.clone(), Arc::clone(&self.talk)));
        self.lock().talking.replace(task).inspect(JoinHandle::abort);
    }

    fn lock(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[service]
impl Chat {
    /// What is said.
    #[topic("wslink.communication.channel")]
    const CHANNEL: Topic<String>;

    /// Says something to everybody.
    #[rpc("wslink.say.hello")]
    fn say_hello(&self, message: String) -> String {
        let message = format!("py server: {message}");
        self.publisher.publish(Self::CHANNEL, &message);
        message
    }

    /// Makes the server talk.
    #[rpc("wslink.start.talking")]
    fn start_talking(&self) {
        self.talk();
    }

    /// Makes the server keep silent.
    #[rpc("wslink.stop.talking")]
    fn stop_talking(&self) {
        let mut talk = self.lock();
        talk.talking.take().inspect(JoinHandle::abort);
        talk.index = 0;
    }
}

async fn talk(publisher: Publisher, talk: Arc<Mutex<Talk>>) {
    let mut period = tokio::time::interval(PERIOD);
    loop {
        period.tick().await;
        let line = {
            let mut talk = talk.lock().unwrap_or_else(PoisonError::into_inner);
            talk.index = (talk.index + 1) % LINES.len();
            LINES[talk.index]
        };
        publisher.publish(Chat::CHANNEL, &line.to_owned());
    }
}
