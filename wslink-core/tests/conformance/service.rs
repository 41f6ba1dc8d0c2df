//! What the recorded server serves.

use futures_util::{Stream, stream};
use wslink_core::{Attachment, CallError, Delivery, ErrorCode, Progress, Publisher, Topic, Value, service, topic};

pub(crate) const TEXT: Topic<String> = Topic::new("kit.text", Delivery::Reliable);
pub(crate) const STATE: Topic<String> = Topic::new("kit.state", Delivery::Reliable).retaining();

pub(crate) struct Kit(pub(crate) Publisher);

#[service(crate = wslink_core)]
impl Kit {
    #[rpc("kit.echo")]
    fn echo(&self, value: Value) -> Value {
        value
    }

    /// An integer at the border of what numbers of other languages hold.
    #[rpc("kit.integer")]
    fn integer(&self, which: String) -> Value {
        match &*which {
            "largest" => Value::Unsigned(u64::MAX),
            "smallest" => Value::Integer(i64::MIN),
            _ => Value::Integer((1 << 53) + 1),
        }
    }

    #[rpc("kit.fail")]
    fn fail(&self, data: Value) -> Result<(), CallError> {
        Err(CallError::new(ErrorCode::Application(42), "as asked").with_data(data))
    }

    #[rpc("kit.blob")]
    fn blob(&self, bytes: u8) -> Vec<Attachment> {
        vec![(0..bytes).collect::<Vec<u8>>().into(), vec![255].into()]
    }

    #[rpc("kit.steps")]
    fn steps(&self, steps: u32, progress: Progress<u32>) -> u32 {
        for step in 0..steps {
            progress.report(&step);
        }
        steps
    }

    #[rpc("kit.publish")]
    fn publish(&self, text: String) {
        self.0.publish(TEXT, &text);
    }

    #[rpc("kit.hang")]
    async fn hang(&self) {
        std::future::pending::<()>().await;
    }

    #[topic("kit.count")]
    fn count(&self, to: u32) -> impl Stream<Item = u32> + Send + 'static {
        stream::iter(0..to)
    }
}
