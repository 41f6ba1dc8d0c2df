//! The cases, by the sections of RFC 6455.

use super::{Case, MAX_MESSAGE, peer::Back};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// The first, a further and the last frame of several.
const TEXT_FIRST: u8 = 0x01;
const BINARY_FIRST: u8 = 0x02;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;

const PROTOCOL: Back = Back::Fail(&[1002]);
const NOT_UTF8: Back = Back::Fail(&[1007]);
const TOO_LARGE: Back = Back::Fail(&[1009]);

/// A masked frame.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    masked(first, payload, [0x37, 0xfa, 0x21, 0x3d])
}

fn masked(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64);
    frame[1] |= 0x80;
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    [header(first, payload.len() as u64), payload.to_vec()].concat()
}

fn header(first: u8, len: u64) -> Vec<u8> {
    let len = match len {
        0..126 => len.to_be_bytes()[7..].to_vec(),
        126..=0xffff => [&[126], &len.to_be_bytes()[6..]].concat(),
        _ => [&[127], &len.to_be_bytes()[..]].concat(),
    };
    [&[first], &*len].concat()
}

/// The header of a frame that never comes.
fn claim(first: u8, len: u64) -> Vec<u8> {
    let mut claim = header(first, len);
    claim[1] |= 0x80;
    claim.extend([0; 4]);
    claim
}

fn case(name: impl Into<String>, send: &[Vec<u8>], expect: &[Back]) -> Case {
    Case { name: name.into(), send: send.concat(), expect: expect.to_vec() }
}

fn text(text: &str) -> Back {
    Back::Text(text.into())
}

/// 5.2: every form of the length.
pub(super) fn framing() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [0, 1, 124, 125, 126, 127, 128, 255, 256, 16_383, 16_384, 65_534, 65_535, 65_536, 65_537, 262_144] {
        let payload = b"abcdefg".repeat(len / 7 + 1)[..len].to_vec();
        cases.push(case(format!("text of {len}"), &[frame(TEXT, &payload)], &[Back::Text(payload.clone())]));
        cases.push(case(format!("binary of {len}"), &[frame(BINARY, &payload)], &[Back::Binary(payload)]));
    }
    let all: Vec<u8> = (0..=255).collect();
    cases.push(case("every byte", &[frame(BINARY, &all)], &[Back::Binary(all)]));
    let many: Vec<_> = (0..200).map(|n: u32| n.to_string()).collect();
    cases.push(case(
        "many messages",
        &many.iter().map(|n| frame(TEXT, n.as_bytes())).collect::<Vec<_>>(),
        &many.iter().map(|n| text(n)).collect::<Vec<_>>(),
    ));
    cases
}

/// 5.1 and 5.3: what a client sends is masked, with any key.
pub(super) fn masking() -> Vec<Case> {
    let mut cases = Vec::new();
    for mask in [[0; 4], [0xff; 4], [1, 0, 0, 0], [0, 0, 0, 1]] {
        for len in [1, 3, 4, 5, 31, 32, 33, 70_000] {
            let payload = b"masked ".repeat(len / 7 + 1)[..len].to_vec();
            cases.push(case(format!("{len} with {mask:?}"), &[masked(BINARY, &payload, mask)], &[Back::Binary(payload)]));
        }
    }
    for (name, first) in
        [("text", TEXT), ("binary", BINARY), ("ping", PING), ("pong", PONG), ("close", CLOSE), ("part", TEXT_FIRST)]
    {
        cases.push(case(format!("unmasked {name}"), &[unmasked(first, b"\x03\xe8")], &[PROTOCOL]));
        cases.push(case(format!("unmasked empty {name}"), &[unmasked(first, b"")], &[PROTOCOL]));
    }
    cases.push(case("unmasked after masked", &[frame(TEXT, b"a"), unmasked(TEXT, b"b")], &[text("a"), PROTOCOL]));
    cases.push(case("an unmasked last frame", &[frame(TEXT_FIRST, b"a"), unmasked(LAST, b"b")], &[PROTOCOL]));
    cases
}

/// 5.2: bits and opcodes that have no meaning yet.
pub(super) fn reserved() -> Vec<Case> {
    let mut cases = Vec::new();
    for bits in (0x10..=0x70).step_by(0x10) {
        for (name, first) in [("text", TEXT), ("binary", BINARY), ("ping", PING), ("pong", PONG), ("close", CLOSE)] {
            cases.push(case(format!("{name} with bits {bits:#x}"), &[frame(first | bits, b"")], &[PROTOCOL]));
        }
        let after = [frame(TEXT, b"a"), frame(TEXT | bits, b"b"), frame(PING, b"c")];
        cases.push(case(format!("bits {bits:#x} after a message"), &after, &[text("a"), PROTOCOL]));
        let within = [frame(TEXT_FIRST, b"a"), frame(LAST | bits, b"b")];
        cases.push(case(format!("bits {bits:#x} in a last frame"), &within, &[PROTOCOL]));
    }
    for opcode in [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf] {
        cases.push(case(format!("opcode {opcode}"), &[frame(0x80 | opcode, b"")], &[PROTOCOL]));
        cases.push(case(format!("opcode {opcode} with payload"), &[frame(0x80 | opcode, b"payload")], &[PROTOCOL]));
        let after = [frame(TEXT, b"a"), frame(0x80 | opcode, b"b"), frame(PING, b"c")];
        cases.push(case(format!("opcode {opcode} after a message"), &after, &[text("a"), PROTOCOL]));
        cases.push(case(format!("opcode {opcode} without end"), &[frame(opcode, b"b")], &[PROTOCOL]));
    }
    cases
}

/// 5.5.2 and 5.5.3.
pub(super) fn pings() -> Vec<Case> {
    let pong = |payload: &[u8]| Back::Pong(payload.to_vec());
    let largest = [0xfe; 125];
    let ten: Vec<[u8; 1]> = (b'0'..=b'9').map(|n| [n]).collect();
    vec![
        case("empty ping", &[frame(PING, b"")], &[pong(b"")]),
        case("ping", &[frame(PING, b"Hello")], &[pong(b"Hello")]),
        case("binary ping", &[frame(PING, &[0, 0xff, 0xfe, 0xfd])], &[pong(&[0, 0xff, 0xfe, 0xfd])]),
        case("largest ping", &[frame(PING, &largest)], &[pong(&largest)]),
        case("ping of 126", &[frame(PING, &[0; 126])], &[PROTOCOL]),
        case("ping of 65536", &[frame(PING, &[0; 65_536])], &[PROTOCOL]),
        case("ping without end", &[frame(0x09, b"a"), frame(LAST, b"b")], &[PROTOCOL]),
        case("pong", &[frame(PONG, b"")], &[]),
        case("pong with payload", &[frame(PONG, b"unasked")], &[]),
        case("pong of 126", &[frame(PONG, &[0; 126])], &[PROTOCOL]),
        case("pong without end", &[frame(0x0a, b"a")], &[PROTOCOL]),
        case("pong, then ping", &[frame(PONG, b"unasked"), frame(PING, b"asked")], &[pong(b"asked")]),
        case(
            "ten pings",
            &ten.iter().map(|n| frame(PING, n)).collect::<Vec<_>>(),
            &ten.iter().map(|n| pong(n)).collect::<Vec<_>>(),
        ),
        case("ping, message", &[frame(PING, b"a"), frame(TEXT, b"b")], &[pong(b"a"), text("b")]),
    ]
}

/// 5.4.
pub(super) fn fragmentation() -> Vec<Case> {
    let pong = Back::Pong(b"ping".to_vec());
    let ping = frame(PING, b"ping");
    let (first, last) = (frame(TEXT_FIRST, b"first "), frame(LAST, b"last"));
    let whole = text("first last");
    let letters: Vec<_> =
        (0..300_u32).map(|n| frame(if n == 0 { TEXT_FIRST } else { MORE }, b"x")).chain([frame(LAST, b"")]).collect();
    vec![
        case("two parts", &[first.clone(), last.clone()], std::slice::from_ref(&whole)),
        case("two binary parts", &[frame(BINARY_FIRST, b"\xff"), frame(LAST, b"\xfe")], &[Back::Binary(b"\xff\xfe".to_vec())]),
        case("300 parts", &letters, &[text(&"x".repeat(300))]),
        case("empty parts", &[frame(TEXT_FIRST, b""), frame(MORE, b""), frame(LAST, b"")], &[text("")]),
        case("empty ends", &[frame(TEXT_FIRST, b""), frame(MORE, b"middle"), frame(LAST, b"")], &[text("middle")]),
        case("large parts", &[frame(BINARY_FIRST, &[1; 100_000]), frame(LAST, &[1; 100_000])], &[Back::Binary(vec![1; 200_000])]),
        case("ping between", &[first.clone(), ping.clone(), last.clone()], &[pong.clone(), whole.clone()]),
        case(
            "pings between",
            &[first.clone(), ping.clone(), frame(MORE, b""), ping.clone(), last.clone()],
            &[pong.clone(), pong.clone(), whole.clone()],
        ),
        case("pong between", &[first.clone(), frame(PONG, b"x"), last.clone()], std::slice::from_ref(&whole)),
        case("close between", &[first.clone(), frame(CLOSE, b"\x03\xe8")], &[Back::Close(Some(1000))]),
        case("two messages", &[first.clone(), last.clone(), first.clone(), last.clone()], &[whole.clone(), whole.clone()]),
        case("a last part alone", &[frame(LAST, b"x")], &[PROTOCOL]),
        case("a further part alone", &[frame(MORE, b"x")], &[PROTOCOL]),
        case("a part after the last", &[first.clone(), last, frame(LAST, b"x")], &[whole.clone(), PROTOCOL]),
        case("a part after a whole", &[frame(TEXT, b"x"), frame(LAST, b"x")], &[text("x"), PROTOCOL]),
        case("text within text", &[first.clone(), frame(TEXT, b"x")], &[PROTOCOL]),
        case("binary within text", &[first.clone(), frame(BINARY, b"x")], &[PROTOCOL]),
        case("text within binary", &[frame(BINARY_FIRST, b"x"), frame(TEXT, b"x")], &[PROTOCOL]),
        case("a first within parts", &[first.clone(), frame(MORE, b"x"), first.clone()], &[PROTOCOL]),
        case("a first within a ping's parts", &[first.clone(), ping, first], &[pong, PROTOCOL]),
        case("never finished", &[frame(TEXT_FIRST, b"x")], &[]),
    ]
}

/// 5.6 and 8.1, with the borders of Unicode's table 3-7.
pub(super) fn utf8() -> Vec<Case> {
    let mut cases = Vec::new();
    let good = [
        "κόσμε",
        "\0",
        "\u{7f}",
        "\u{80}",
        "\u{7ff}",
        "\u{800}",
        "\u{fff}",
        "\u{1000}",
        "\u{cfff}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{fffd}",
        "\u{fffe}",
        "\u{ffff}",
        "\u{10000}",
        "\u{3ffff}",
        "\u{40000}",
        "\u{fffff}",
        "\u{100000}",
        "\u{10ffff}",
    ];
    for good in good {
        let shown = good.escape_unicode();
        cases.push(case(format!("good {shown}"), &[frame(TEXT, good.as_bytes())], &[text(good)]));
        let (start, end) = good.as_bytes().split_at(1);
        cases.push(case(format!("good {shown} in parts"), &[frame(TEXT_FIRST, start), frame(LAST, end)], &[text(good)]));
    }
    let bad: [&[u8]; 24] = [
        b"\x80",
        b"\xbf",
        b"a\x80b",
        b"\xc0\xaf",
        b"\xc1\xbf",
        b"\xc3",
        b"\xc3(",
        b"\xe0\x80\xaf",
        b"\xe0\x9f\xbf",
        b"\xe2\x82",
        b"\xe2\x82(",
        b"\xed\xa0\x80",
        b"\xed\xad\xbf",
        b"\xed\xb0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xf0\x80\x80\xaf",
        b"\xf0\x8f\xbf\xbf",
        b"\xf0\x9f\x98",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xfe",
        b"\xff",
    ];
    for bad in bad {
        cases.push(case(format!("bad {bad:x?}"), &[frame(TEXT, bad)], &[NOT_UTF8]));
        let parts = [frame(TEXT_FIRST, b"good "), frame(MORE, bad), frame(LAST, b"")];
        cases.push(case(format!("bad {bad:x?} in a part"), &parts, &[NOT_UTF8]));
        let reason = [&1000_u16.to_be_bytes(), bad].concat();
        cases.push(case(format!("bad {bad:x?} as a reason"), &[frame(CLOSE, &reason)], &[Back::Fail(&[1002, 1007])]));
    }
    cases.push(case("bad as binary", &[frame(BINARY, b"\xff\xc0")], &[Back::Binary(b"\xff\xc0".to_vec())]));
    cases.push(case("bad after good", &[frame(TEXT, b"a"), frame(TEXT, b"\xff")], &[text("a"), NOT_UTF8]));
    cases.push(case("bad as a ping", &[frame(PING, b"\xff")], &[Back::Pong(b"\xff".to_vec())]));
    cases
}

/// 5.5.1 and 7.
pub(super) fn closing() -> Vec<Case> {
    let close = |code: u16, reason: &[u8]| frame(CLOSE, &[&code.to_be_bytes(), reason].concat());
    let mut cases = Vec::new();
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        cases.push(case(format!("code {code}"), &[close(code, b"")], &[Back::Close(Some(code))]));
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999] {
        cases.push(case(format!("code {code}"), &[close(code, b"")], &[PROTOCOL]));
    }
    let largest = "é".repeat(61) + "x";
    cases.extend([
        case("no code", &[frame(CLOSE, b"")], &[Back::Close(None)]),
        case("half a code", &[frame(CLOSE, b"\x03")], &[PROTOCOL]),
        case("a reason", &[close(1000, b"done")], &[Back::Close(Some(1000))]),
        case("the largest reason", &[close(1000, largest.as_bytes())], &[Back::Close(Some(1000))]),
        case("a reason too large", &[close(1000, &[b'x'; 124])], &[PROTOCOL]),
        case("without end", &[frame(0x08, b"\x03\xe8")], &[PROTOCOL]),
        case("after a message", &[frame(TEXT, b"a"), close(1000, b"")], &[text("a"), Back::Close(Some(1000))]),
        case("a message after", &[close(1000, b""), frame(TEXT, b"a")], &[Back::Close(Some(1000))]),
        case("a ping after", &[close(1000, b""), frame(PING, b"a")], &[Back::Close(Some(1000))]),
        case("another after", &[close(1000, b""), close(1001, b"")], &[Back::Close(Some(1000))]),
        case("rubbish after", &[close(1000, b""), vec![0xff; 300]], &[Back::Close(Some(1000))]),
    ]);
    cases
}

/// 10.4: what is too large is refused when it is announced.
pub(super) fn limits() -> Vec<Case> {
    let largest = vec![b'x'; MAX_MESSAGE];
    let half = vec![b'x'; MAX_MESSAGE / 2];
    vec![
        case("the largest", &[frame(BINARY, &largest)], &[Back::Binary(largest.clone())]),
        case("the largest text", &[frame(TEXT, &largest)], &[Back::Text(largest.clone())]),
        case("the largest in parts", &[frame(BINARY_FIRST, &half), frame(LAST, &half)], &[Back::Binary(largest)]),
        case("one byte more", &[claim(BINARY, MAX_MESSAGE as u64 + 1)], &[TOO_LARGE]),
        case("one byte more in parts", &[frame(BINARY_FIRST, b"x"), claim(LAST, MAX_MESSAGE as u64)], &[TOO_LARGE]),
        case("4 GiB", &[claim(TEXT, 1 << 32)], &[TOO_LARGE]),
        case("as large as can be", &[claim(BINARY, u64::MAX >> 1)], &[Back::Fail(&[1002, 1009])]),
        case("with the highest bit", &[claim(BINARY, u64::MAX)], &[Back::Fail(&[1002, 1009])]),
        case("after a message", &[frame(TEXT, b"a"), claim(TEXT, u64::MAX)], &[text("a"), Back::Fail(&[1002, 1009])]),
        case("a ping that claims", &[claim(PING, 1 << 40)], &[Back::Fail(&[1002, 1009])]),
    ]
}
