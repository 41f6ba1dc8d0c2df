impl Office {
    pub const DRAFTS: Topic<Draft> = {
        use ::wslink::__private as __rt;
        __rt::topic::<Topic<Draft>, _>("office.drafts", __rt::Delivery::Reliable).requiring("editor")
    };
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn desk(&self) -> impl Stream<Item = u32> + Send + 'static {
        stream::empty()
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn write(&self, principal: Principal, text: String) {}
}
#[allow(deprecated, non_upper_case_globals, unused_qualifications)]
const _: () = {
    #[allow(unused_imports)]
    use __rt::{NotSend as _, NotShared as _, OfAnyKind as _, Plain as _};
    use ::wslink::__private as __rt;
    const __method_write: __rt::MethodDescriptor = {
        fn __call(call: &mut __rt::Call<'_>) -> __rt::Called {
            let (a0, a1) = (call.take::<Principal>(0)?, call.take::<String>(1)?);
            let (this, reply) = (call.service::<Office>(), call.reply());
            __rt::done(__rt::Returned(<Office>::write(&this, a0, a1)).send(&reply))
        }
        __rt::method(
            ("office.write", "write", "", false),
            __rt::here(),
            __rt::types!(fn(Principal, String) -> ()),
            &[__rt::required("principal", __rt::KindOf::<Principal>::KIND), __rt::required("text", __rt::KindOf::<String>::KIND)],
            __rt::terms(500, __rt::Some("editor")),
            __call,
        )
    };
    const __method_desk: __rt::MethodDescriptor = {
        fn __call(call: &mut __rt::Call<'_>) -> __rt::Called {
            let (this, _) = call.shared::<Office>();
            let __events = <Office>::desk(&this);
            __rt::streamed(__events)
        }
        __rt::method(
            ("office.desk", "desk", "", false),
            __rt::here(),
            __rt::types!(fn() -> __rt::Value),
            &[],
            __rt::terms(0, __rt::Some("editor")),
            __call,
        )
    };
    #[automatically_derived]
    impl __rt::Service for Office {
        const DESCRIPTOR: &'static __rt::ServiceDescriptor = &__rt::ServiceDescriptor {
            name: "Office",
            docs: "",
            type_id: __rt::type_id::<Self>,
            location: __rt::here(),
            package: __rt::env!("CARGO_PKG_NAME"),
            version: __rt::env!("CARGO_PKG_VERSION"),
            methods: &[__method_write],
            topics: &[
                __rt::TopicDescriptor {
                    uri: "office.drafts",
                    docs: "",
                    deprecated: false,
                    location: __rt::here(),
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
                    location: __rt::here(),
                    payload: __rt::payload!(__rt::Topic<u32>),
                    delivery: __rt::Delivery::Reliable,
                    retain: false,
                    require: __rt::Some("editor"),
                    stream: __rt::own(__method_desk),
                },
            ],
            hooks: &[],
            ordered: false,
        };
        const ERASURE: __rt::Erasure<Self> = __rt::Handlers::<Self>::ERASURE;
    }
    const _: fn() = || __rt::SharedByCalls::<Office>::check();
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
