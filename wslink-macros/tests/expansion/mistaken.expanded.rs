impl Render {
    pub const CHANGED: Topic<Frame> =
        crate::reexported::__private::topic::<Topic<Frame>, _>("", crate::reexported::__private::Delivery::Reliable);
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn image(&mut self) {
        self.width = 1;
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn resize(&self) {}
}
#[allow(deprecated, unused_qualifications)]
const _: () = {
    use crate::reexported::__private as __rt;
    use __rt::Plain as _;
    #[automatically_derived]
    impl __rt::Service for Render {
        const DESCRIPTOR: &'static __rt::ServiceDescriptor = &__rt::ServiceDescriptor {
            name: "Render",
            docs: "",
            type_id: __rt::type_id::<Self>,
            location: __rt::here!(),
            package: __rt::env!("CARGO_PKG_NAME"),
            version: __rt::env!("CARGO_PKG_VERSION"),
            methods: &[__rt::MethodDescriptor {
                uri: "myapp.render.window.resize",
                name: "resize",
                docs: "",
                deprecated: false,
                types: __rt::types!(fn() -> ()),
                location: __rt::here!(),
                parameters: &[],
                terms: __rt::terms(0, __rt::None),
                call: |call| {
                    let (this, reply) = (call.service::<Self>(), call.reply());
                    __rt::done(__rt::Returned(Self::resize(&this)).send(&reply))
                },
            }],
            topics: &[],
            ordered: false,
        };
    }
    __rt::inventory::submit!(__rt::registration::<Render>());
};
const _: () = {
    use self::*;
    use crate::reexported::__private::attributes::*;
    #[rpc(__in_service)]
    const _: () = ();
    #[topic(__in_service)]
    const _: () = ();
};
::core::compile_error! { "unknown delivery `lates`; did you mean `latest`?" }
::core::compile_error! { "calls share the service, so none can have it as `&mut self`; write `&self`, and keep what changes in a `Mutex`" }
