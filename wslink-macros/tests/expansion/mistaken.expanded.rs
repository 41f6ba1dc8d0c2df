impl Render {
    pub const CHANGED: Topic<Frame> = {
        use crate::reexported::__private as __rt;
        __rt::topic::<Topic<Frame>, _>("", __rt::Delivery::Reliable)
    };
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn image(&mut self) {
        self.width = 1;
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn resize(&self) {}
}
#[allow(deprecated, non_upper_case_globals, unused_qualifications)]
const _: () = {
    use crate::reexported::__private as __rt;
    #[allow(unused_imports)]
    use __rt::{NotSend as _, NotShared as _, OfAnyKind as _, Plain as _};
    const __method_resize: __rt::MethodDescriptor = {
        fn __call(call: &mut __rt::Call<'_>) -> __rt::Called {
            let (this, reply) = (call.service::<Render>(), call.reply());
            __rt::done(__rt::Returned(<Render>::resize(&this)).send(&reply))
        }
        __rt::method(
            ("myapp.render.window.resize", "resize", "", false),
            __rt::here(),
            __rt::types!(fn() -> ()),
            &[],
            __rt::terms(0, __rt::None),
            __call,
        )
    };
    #[automatically_derived]
    impl __rt::Service for Render {
        const DESCRIPTOR: &'static __rt::ServiceDescriptor = &__rt::ServiceDescriptor {
            name: "Render",
            docs: "",
            type_id: __rt::type_id::<Self>,
            location: __rt::here(),
            package: __rt::env!("CARGO_PKG_NAME"),
            version: __rt::env!("CARGO_PKG_VERSION"),
            methods: &[__method_resize],
            topics: &[],
            hooks: &[],
            ordered: false,
        };
        const ERASURE: __rt::Erasure<Self> = __rt::Handlers::<Self>::ERASURE;
    }
    const _: fn() = || __rt::SharedByCalls::<Render>::check();
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
