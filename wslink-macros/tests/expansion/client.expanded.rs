impl Render {
    #[doc = " A new frame is ready."]
    pub const CHANGED: Topic<Frame> =
        ::wslink::__private::topic::<Topic<Frame>, _>("render.changed", ::wslink::__private::Delivery::Latest);
    #[doc = " Renders one still image."]
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn image(&self, client: Client, size: Size, quality: u8) -> Result<Image, RenderError> {
        self.scene.render(client, size, quality)
    }
}
#[allow(deprecated, unused_qualifications)]
const _: () = {
    use __rt::Plain as _;
    use ::wslink::__private as __rt;
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
                uri: "render.image",
                name: "image",
                docs: "Renders one still image.",
                deprecated: false,
                types: __rt::types!(fn(Client, Size, u8) -> Result<Image, RenderError>),
                location: __rt::here!(),
                parameters: &[
                    __rt::required::<Client>("client"),
                    __rt::required::<Size>("size"),
                    __rt::optional::<u8>("quality", "90"),
                ],
                terms: __rt::terms(0, __rt::None),
                call: |call| {
                    let (a0, a1, a2) = (call.take::<Client>(0)?, call.take::<Size>(1)?, call.take_or::<u8>(2, || 90)?);
                    let (this, reply) = (call.service::<Self>(), call.reply());
                    __rt::done(__rt::Returned(Self::image(&this, a0, a1, a2)).send(&reply))
                },
            }],
            topics: &[__rt::TopicDescriptor {
                uri: "render.changed",
                docs: "A new frame is ready.",
                deprecated: false,
                location: __rt::here!(),
                payload: __rt::payload!(Topic<Frame>),
                delivery: __rt::Delivery::Latest,
                retain: false,
                require: __rt::None,
                stream: __rt::SHARED,
            }],
            ordered: false,
        };
    }
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
    #[derive(:: wslink :: __private :: Clone, :: wslink :: __private :: Debug)]
    #[allow(unreachable_pub)]
    pub struct RenderClient {
        session: ::wslink::__private::Session,
    }
    #[automatically_derived]
    impl ::wslink::__private::From<::wslink::__private::Session> for RenderClient {
        fn from(session: ::wslink::__private::Session) -> Self {
            Self { session }
        }
    }
    #[allow(deprecated, unused_qualifications)]
    const _: () = {
        #[allow(unused_imports)]
        use ::wslink::__private::{self as __rt, Guessed as _, Plain as _};
        #[allow(missing_docs, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic)]
        impl RenderClient {
            #[doc = "Renders one still image."]
            pub fn image(
                &self,
                size: Size,
                quality: impl ::wslink::__private::Into<::wslink::__private::Option<u8>>,
            ) -> ::wslink::__private::ClientCall<Image> {
                let quality: ::wslink::__private::Option<u8> = quality.into();
                ::wslink::__private::call::<Image>(
                    &self.session,
                    "render.image",
                    ::wslink::__private::named(::wslink::__private::Given(&[
                        ("size", ::wslink::__private::Some(::wslink::__private::sent::<Size>(&size))),
                        ("quality", quality.as_ref().map(::wslink::__private::sent::<u8>)),
                    ])),
                )
            }
            #[doc = "A new frame is ready."]
            pub fn changed(&self) -> ::wslink::__private::Subscribe<<Topic<Frame> as ::wslink::__private::AnyTopic>::Payload> {
                ::wslink::__private::subscribe::<<Topic<Frame> as ::wslink::__private::AnyTopic>::Payload>(
                    &self.session,
                    <Render>::CHANGED,
                )
            }
        }
        const _: () = ::wslink::__private::assert_context::<Client>();
        const _: () = ::wslink::__private::assert_argument(::wslink::__private::Guess::<Size>::KIND);
        const _: () = ::wslink::__private::assert_argument(::wslink::__private::Guess::<u8>::KIND);
        const _: () = ::wslink::__private::assert_result(::wslink::__private::Returned::<Result<Image, RenderError>>::IS_RESULT);
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
