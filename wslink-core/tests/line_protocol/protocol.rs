//! A protocol of lines: each text frame is one message, whose fields are separated by tabs and whose values are JSON.
//!
//! ```text
//! hello  0  {"secret":"…"}     call  1  calc.add  1  2     sub  2  "news"     unsub  3  1     cancel  4  "1"
//! ok  0  {"clientID":"…"}      err  1  {"code":…}          progress  1  0.5   event  news  3  {…}     end  news  3
//! ```
//!
//! It shows what a protocol is to a session. Both ends speak it, and nothing else in the crate knows of it.

use bytes::Bytes;
use serde_json::{Value, json};
use wslink_core::{
    Limits,
    wire::{
        Content, Decoder, Draft, Encoded, Format, Frame, FrameKind, Incoming, Message, MessageId, MethodName, Outgoing, Parts,
        Protocol, Received, Source, Span, Subject, Target, Unserializable, Violation,
    },
};

/// The protocol, for the list of those that a server speaks.
pub(crate) const LINES: &dyn Protocol = &Lines;

struct Lines;

impl Protocol for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn subprotocol(&self) -> Option<&'static str> {
        Some("lines.wslink")
    }

    fn first_frame(&self) -> FrameKind {
        FrameKind::Text
    }

    fn decoder(&self, limits: &Limits) -> Box<dyn Decoder> {
        Box::new(Reader { longest: limits.hello_bytes, longest_later: limits.frame_bytes })
    }

    fn encode(&self, message: &Outgoing<'_>) -> Result<Encoded, Unserializable> {
        let (verb, value) = match &message.content {
            Content::Result(value) => ("ok", Some(json(*value)?)),
            Content::Progress(value) => ("progress", Some(json(*value)?)),
            Content::Error(error) => {
                let error = json!({"code": error.code().number(), "message": error.message(), "data": error.data()});
                ("err", Some(error.to_string()))
            }
            Content::End => ("end", None),
        };
        let mut fields = match &message.subject {
            Subject::Reply(id) => vec![verb.to_owned(), String::from_utf8_lossy(id.as_bytes()).into_owned()],
            Subject::Event { topic, subscription } => {
                let verb = if verb == "ok" { "event" } else { verb };
                vec![verb.to_owned(), (*topic).to_owned(), subscription.map_or_else(String::new, |number| number.to_string())]
            }
        };
        fields.extend(value);
        Ok(line(&fields))
    }

    fn draft(&self, target: Target<'_>, arguments: Parts<'_>) -> Result<Box<dyn Draft>, Unserializable> {
        if arguments.named.is_some() {
            return Err(Unserializable("lines have no named arguments".to_owned()));
        }
        let (verb, first) = match target {
            Target::Hello => ("hello", None),
            Target::Subscribe => ("sub", None),
            Target::Unsubscribe => ("unsub", None),
            Target::Cancel(number) => ("cancel", Some(json!(number.to_string()).to_string())),
            Target::Method(name) => ("call", Some(name.to_owned())),
        };
        let positional = arguments.positional.map(json).transpose()?;
        let values: Vec<Value> =
            serde_json::from_str(positional.as_deref().unwrap_or("[]")).map_err(|error| unserializable(&error))?;
        Ok(Box::new(LineDraft { verb, fields: first.into_iter().chain(values.iter().map(Value::to_string)).collect() }))
    }

    fn id_text(&self, id: &MessageId) -> Option<String> {
        std::str::from_utf8(id.as_bytes()).ok().map(str::to_owned)
    }
}

fn json(value: &dyn erased_serde::Serialize) -> Result<String, Unserializable> {
    serde_json::to_string(value).map_err(|error| unserializable(&error))
}

fn unserializable(error: &serde_json::Error) -> Unserializable {
    Unserializable(error.to_string())
}

fn line(fields: &[String]) -> Encoded {
    Encoded::one(Frame::new(FrameKind::Text, fields.join("\t")))
}

#[derive(Clone)]
struct LineDraft {
    verb: &'static str,
    fields: Vec<String>,
}

impl Draft for LineDraft {
    fn seal(self: Box<Self>, number: u64, _: Option<u64>, _: usize) -> Encoded {
        let head = [self.verb.to_owned(), number.to_string()];
        line(&head.into_iter().chain(self.fields).collect::<Vec<_>>())
    }

    fn copy(&self) -> Box<dyn Draft> {
        Box::new(self.clone())
    }
}

struct Reader {
    longest: usize,
    longest_later: usize,
}

impl Decoder for Reader {
    fn blank(&self) -> Incoming {
        Incoming::blank(&Json)
    }

    fn decode(&mut self, kind: FrameKind, payload: Bytes, incoming: &mut Incoming) -> Result<Option<Message>, Violation> {
        let text = std::str::from_utf8(&payload).ok().filter(|_| kind == FrameKind::Text);
        let text = text.ok_or(Violation::malformed("a message is a line of text"))?;
        if text.len() > self.longest {
            return Err(Violation::too_large("too long a line"));
        }
        let mut spans = Vec::new();
        for field in text.split('\t') {
            let start = field.as_ptr().addr() - text.as_ptr().addr();
            spans.push(Span::new(start, start + field.len()));
        }
        let field = |index: usize| spans.get(index).map_or("", |span| &text[span.range()]);
        let malformed = Violation::malformed("a line lacks fields");
        let value = |index: usize| spans.get(index).copied().ok_or(malformed);
        let number = || field(1).parse().map_err(|_| malformed);
        let reply = |content| Ok(Message::Reply { number: number()?, content });
        let event = |content| Ok(Message::Event { topic: field(1).to_owned(), subscription: field(2).parse().ok(), content });
        let (message, arguments) = match field(0) {
            "call" => (Message::Call, 3),
            "hello" => (Message::Hello, 2),
            "sub" => (Message::Subscribe, 2),
            "unsub" => (Message::Unsubscribe, 2),
            "cancel" => (Message::Cancel, 2),
            "ok" => (reply(Received::Result(value(2)?))?, usize::MAX),
            "err" if field(1).parse::<u64>().is_ok() => (reply(Received::Error(value(2)?))?, usize::MAX),
            "progress" => (reply(Received::Progress(value(2)?))?, usize::MAX),
            "event" => (event(Received::Result(value(3)?))?, usize::MAX),
            "err" => (event(Received::Error(value(3)?))?, usize::MAX),
            "end" => (event(Received::End)?, usize::MAX),
            _ => (Message::Unknown, usize::MAX),
        };
        incoming.id = spans.get(1).map(|span| MessageId::new(&payload[span.range()]));
        incoming.method = (message == Message::Call).then(|| value(2)).transpose()?.map(MethodName::Verbatim);
        incoming.arguments.positional.extend(spans.iter().skip(arguments).copied());
        incoming.arguments.body = payload.clone();
        Ok(Some(message))
    }

    fn authenticated(&mut self) {
        self.longest = self.longest_later;
    }

    fn incomplete(&self) -> (usize, usize) {
        (0, 0)
    }
}

struct Json;

impl Format for Json {
    fn deserialize(
        &self,
        source: &mut Source<'_>,
        span: Span,
        with: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error>,
    ) -> Result<(), erased_serde::Error> {
        let mut value = serde_json::Deserializer::from_slice(&source.body[span.range()]);
        with(&mut <dyn erased_serde::Deserializer<'_>>::erase(&mut value))
    }
}
