impl Render {
    #[doc = " A new frame is ready."]
    pub const CHANGED: Topic<Frame> = {
        use ::wslink::__private as __rt;
        __rt::topic::<Topic<Frame>, _>("render.changed", __rt::Delivery::Latest)
    };
    #[doc = " Renders one still image."]
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn image(&self, client: Client, size: Size, quality: u8) -> Result<Image, RenderError> {
        self.scene.render(client, size, quality)
    }
}
#[allow(deprecated, non_upper_case_globals, unused_qualifications)]
const _: () = {
    #[allow(unused_imports)]
    use __rt::{NotSend as _, NotShared as _, OfAnyKind as _, Plain as _};
    use ::wslink::__private as __rt;
    const __method_image: __rt::MethodDescriptor = {
        fn __call(call: &mut __rt::Call<'_>) -> __rt::Called {
            let (a0, a1, a2) = (call.take::<Client>(0)?, call.take::<Size>(1)?, call.take_or::<u8>(2, || 90)?);
            let (this, reply) = (call.service::<Render>(), call.reply());
            __rt::done(__rt::Returned(<Render>::image(&this, a0, a1, a2)).send(&reply))
        }
        __rt::method(
            ("render.image", "image", "Renders one still image.", false),
            __rt::here(),
            __rt::types!(fn(Client, Size, u8) -> Result<Image, RenderError>),
            &[
                __rt::required("client", __rt::KindOf::<Client>::KIND),
                __rt::required("size", __rt::KindOf::<Size>::KIND),
                __rt::optional("quality", __rt::KindOf::<u8>::KIND, "90"),
            ],
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
            methods: &[__method_image],
            topics: &[__rt::TopicDescriptor {
                uri: "render.changed",
                docs: "A new frame is ready.",
                deprecated: false,
                location: __rt::here(),
                payload: __rt::payload!(Topic<Frame>),
                delivery: __rt::Delivery::Latest,
                retain: false,
                require: __rt::None,
                stream: __rt::SHARED,
            }],
            hooks: &[],
            ordered: false,
        };
        const ERASURE: __rt::Erasure<Self> = __rt::Handlers::<Self>::ERASURE;
    }
    const _: fn() = || __rt::SharedByCalls::<Render>::check();
    __rt::inventory::submit!(__rt::registration::<Render>());
    fn inside_require_schemas() {
        {
            __rt::Probe::<Client>::OF.require_argument();
            __rt::Probe::<Size>::OF.require_argument();
            __rt::Probe::<u8>::OF.require_argument();
            __rt::Probe::<Result<Image, RenderError>>::OF.ok().require_result();
        }
        {
            __rt::Probe::<Topic<Frame>>::OF.payload().require_result();
        }
    }
};
mod inside_client {
    #[doc = "Calls a `Render` that is on a server."]
    struct RenderClient;
    #[allow(deprecated, unused_qualifications)]
    const _: () = {
        #[allow(unused_imports)]
        use ::wslink::__private::{self as __rt, Guessed as _, Plain as _};
        #[allow(missing_docs, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic)]
        impl __RenderClient::RenderClient {
            #[doc = "Renders one still image."]
            pub fn image(&self, size: Size, quality: impl __rt::Into<__rt::Option<u8>>) -> __rt::ClientCall<Image> {
                let quality: __rt::Option<u8> = quality.into();
                __rt::call::<Image>(
                    __rt::HasSession::session(self),
                    "render.image",
                    __rt::named(__rt::Given(&[
                        ("size", __rt::Some(__rt::sent::<Size>(&size))),
                        ("quality", quality.as_ref().map(__rt::sent::<u8>)),
                    ])),
                )
            }
            #[doc = "A new frame is ready."]
            pub fn changed(&self) -> __rt::Subscribe<<Topic<Frame> as __rt::AnyTopic>::Payload> {
                __rt::subscribe::<<Topic<Frame> as __rt::AnyTopic>::Payload>(__rt::HasSession::session(self), <Render>::CHANGED)
            }
        }
        const _: () = __rt::assert_context::<Client>();
        const _: () = __rt::assert_argument(__rt::Guess::<Size>::KIND);
        const _: () = __rt::assert_argument(__rt::Guess::<u8>::KIND);
        const _: () = __rt::assert_result(__rt::Returned::<Result<Image, RenderError>>::IS_RESULT);
    };
}
const _: () = {
    use self::*;
    use ::wslink::__private::attributes::*;
    #[rpc(__in_service)]
    const _: () = ();
    #[topic(__in_service)]
    const _: () = ();
};
