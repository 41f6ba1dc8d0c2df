impl Office {
    pub const DRAFTS: Topic<Draft> =
        ::wslink::__private::topic::<Topic<Draft>, _>("office.drafts", ::wslink::__private::Delivery::Reliable)
            .requiring("editor");
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn desk(&self) -> impl Stream<Item = u32> + Send + 'static {
        stream::empty()
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn write(&self, principal: Principal, text: String) {}
}
#[allow(deprecated, unused_qualifications)]
const _: () = {
    use __rt::Plain as _;
    use ::wslink::__private as __rt;
    #[automatically_derived]
    impl __rt::Service for Office {
        const DESCRIPTOR: &'static __rt::ServiceDescriptor = &__rt::ServiceDescriptor {
            name: "Office",
            docs: "",
            type_id: __rt::type_id::<Self>,
            location: __rt::here!(),
            package: __rt::env!("CARGO_PKG_NAME"),
            version: __rt::env!("CARGO_PKG_VERSION"),
            methods: &[__rt::MethodDescriptor {
                uri: "office.write",
                name: "write",
                docs: "",
                deprecated: false,
                types: __rt::types!(fn(Principal, String) -> ()),
                location: __rt::here!(),
                parameters: &[__rt::required::<Principal>("principal"), __rt::required::<String>("text")],
                terms: __rt::terms(500, __rt::Some("editor")),
                call: |call| {
                    let (a0, a1) = (call.take::<Principal>(0)?, call.take::<String>(1)?);
                    let (this, reply) = (call.service::<Self>(), call.reply());
                    __rt::done(__rt::Returned(Self::write(&this, a0, a1)).send(&reply))
                },
            }],
            topics: &[
                __rt::TopicDescriptor {
                    uri: "office.drafts",
                    docs: "",
                    deprecated: false,
                    location: __rt::here!(),
                    payload: __rt::payload!(Topic<Draft>),
                    delivery: __rt::Delivery::Reliable,
                    retain: false,
                    require: __rt::Some("editor"),
                    stream: __rt::SHARED,
                },
                __rt::TopicDescriptor {
                    uri: "office.desk",
                    docs: "",
                    deprecated: false,
                    location: __rt::here!(),
                    payload: __rt::payload!(__rt::Topic<u32>),
                    delivery: __rt::Delivery::Reliable,
                    retain: false,
                    require: __rt::Some("editor"),
                    stream: __rt::own(__rt::MethodDescriptor {
                        uri: "office.desk",
                        name: "desk",
                        docs: "",
                        deprecated: false,
                        types: __rt::types!(fn() -> __rt::Value),
                        location: __rt::here!(),
                        parameters: &[],
                        terms: __rt::terms(0, __rt::Some("editor")),
                        call: |call| {
                            let (this, _) = call.shared::<Self>();
                            __rt::Streamed(Self::desk(&this)).events()
                        },
                    }),
                },
            ],
            ordered: false,
        };
    }
    __rt::inventory::submit!(__rt::registration::<Office>());
};
const _: () = {
    use self::*;
    use ::wslink::__private::attributes::*;
    #[rpc(__in_service)]
    const _: () = ();
    #[topic(__in_service)]
    const _: () = ();
};
