//! Chunks of protocol 2: whole again however they were cut, and never anything else.

use std::collections::HashMap;

use arbitrary::{Result, Unstructured};
use bytes::Bytes;

use wslink_core::{
    Limits,
    wire::{Decoder, FrameKind, V2, Violation},
};

use super::{authenticated, next, within};

/// Messages that were cut anywhere and mixed in any order come out whole, each with its last chunk.
pub fn chunks(data: &[u8]) {
    let _ = mixed(&mut Unstructured::new(data));
}

/// A chunk is taken, refused or the last one exactly as a list of the bytes that came says.
pub fn chunk_ranges(data: &[u8]) {
    let _ = accounted(&mut Unstructured::new(data));
}

fn mixed(input: &mut Unstructured<'_>) -> Result<()> {
    let messages: Vec<Vec<u8>> = (1..=input.int_in_range(1..=4)?)
        .map(|number| Ok(message(number, input.int_in_range(MIN_LEN..=MIN_LEN + 600)?)))
        .collect::<Result<_>>()?;
    let mut chunks = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let mut cuts = vec![0, message.len()];
        for _ in 0..input.int_in_range(0..=12)? {
            cuts.push(input.int_in_range(1..=message.len() - 1)?);
        }
        cuts.sort_unstable();
        cuts.dedup();
        chunks.extend(cuts.windows(2).map(|cut| (number, cut[0], cut[1])));
    }
    for last in (1..chunks.len()).rev() {
        chunks.swap(last, input.int_in_range(0..=last)?);
    }

    let mut decoder = decoder();
    let mut left: Vec<usize> = messages.iter().map(Vec::len).collect();
    let bytes = left.iter().sum();
    within(4, bytes, || {
        for (number, start, end) in chunks {
            let frame = chunk(number, start, messages[number].len(), &messages[number][start..end]);
            let done = next(&mut *decoder, FrameKind::Binary, frame).unwrap();
            left[number] -= end - start;
            match done {
                Some((_, message)) => assert_eq!((left[number], &*message.arguments.body), (0, &*messages[number])),
                None => assert!(left[number] > 0, "a message is never complete"),
            }
        }
    });
    assert_eq!(decoder.incomplete(), (0, 0));
    Ok(())
}

fn accounted(input: &mut Unstructured<'_>) -> Result<()> {
    let mut decoder = decoder();
    let mut model = Model::default();
    while !input.is_empty() {
        let number = input.int_in_range(0..=3)?;
        let total = match input.ratio(1, 20)? {
            true => input.arbitrary::<u32>()? as usize,
            false => input.int_in_range(MIN_LEN..=40)?,
        };
        let offset = match input.ratio(1, 20)? {
            true => input.arbitrary::<u32>()? as usize,
            false => input.int_in_range(0..=41)?,
        };
        let len = input.int_in_range(0..=12)?;
        let mut whole = message(number, total.min(200));
        whole.resize(whole.len() + 300, 0);
        let start = offset.min(250);
        let came = next(&mut *decoder, FrameKind::Binary, chunk(number, offset, total, &whole[start..start + len]));
        match (came, model.push(number, offset, len, total)) {
            (Ok(None), Ok(false)) => {}
            (Ok(Some((_, message))), Ok(true)) => assert_eq!(&*message.arguments.body, &whole[..total]),
            (Err(Violation { code: 1002 | 1009, .. }), Err(())) => return Ok(()),
            (came, expected) => panic!("{came:?} where {expected:?} was expected"),
        }
        assert_eq!(decoder.incomplete().0, model.0.len());
    }
    Ok(())
}

/// Every byte of every incomplete message, and whether it came.
#[derive(Default)]
struct Model(HashMap<usize, Vec<bool>>);

impl Model {
    /// Whether the message is now complete.
    fn push(&mut self, number: usize, offset: usize, len: usize, total: usize) -> std::result::Result<bool, ()> {
        if len == 0 || offset + len > total || total > MAX_LEN {
            return Err(());
        }
        let came = self.0.entry(number).or_insert_with(|| vec![false; total]);
        if came.len() != total || came[offset..offset + len].contains(&true) {
            return Err(());
        }
        came[offset..offset + len].fill(true);
        let complete = !came.contains(&false);
        if complete {
            self.0.remove(&number);
        }
        Ok(complete)
    }
}

/// The shortest that [`message`] makes.
const MIN_LEN: usize = 11;

/// The longest that is taken.
const MAX_LEN: usize = 1 << 20;

fn decoder() -> Box<dyn Decoder> {
    authenticated(V2, &Limits::with(|limits| limits.message_bytes = MAX_LEN))
}

/// A message of `len` bytes, no two of which are alike for long: `{"x": binary, "id": "i"}`.
fn message(number: usize, len: usize) -> Vec<u8> {
    let content = len.saturating_sub(MIN_LEN);
    let mut message = b"\x82\xa1x\xc5".to_vec();
    message.extend(u16::try_from(content).unwrap().to_be_bytes());
    message.extend((0..content).map(|at| (at * 31 + at / 256 + number * 7).to_le_bytes()[0]));
    message.extend(b"\xa2id\xa1i");
    message
}

fn chunk(number: usize, offset: usize, total: usize, bytes: &[u8]) -> Bytes {
    let field = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    [&field(number), &field(offset), &field(total), bytes].concat().into()
}
