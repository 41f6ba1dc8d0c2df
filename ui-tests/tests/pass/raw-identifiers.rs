//! `r#type` is `type` on the wire.

use wslink::{Topic, rpc, rpc::Service, service, topic};

#[allow(non_camel_case_types)]
struct r#struct;

#[service]
impl r#struct {
    #[topic("raw.loop")]
    #[allow(non_upper_case_globals)]
    const r#loop: Topic<u8>;

    #[rpc("raw.match")]
    fn r#match(&self, r#type: u8, mut r#move: u8) -> u8 {
        r#move += r#type;
        r#move
    }
}

fn main() {
    let descriptor = r#struct::DESCRIPTOR;
    assert_eq!(descriptor.name, "struct");
    assert_eq!(descriptor.methods[0].name, "match");
    let parameters = format!("{:?}", descriptor.methods[0].parameters);
    assert!(parameters.contains("\"type\"") && parameters.contains("\"move\""), "{parameters}");
    assert_eq!(r#struct.r#match(1, 2), 3);
    assert_eq!(r#struct::r#loop.uri(), "raw.loop");
}
