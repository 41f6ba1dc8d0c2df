#[doc = " Renders frames."]
impl Render {
    #[doc = " A new frame is ready."]
    pub const CHANGED: Topic<Frame> = {
        use ::wslink::__private as __rt;
        __rt::topic::<Topic<Frame>, _>("myapp.render.window.changed", __rt::Delivery::Latest)
    };
    #[doc = " Renders one still image."]
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    async fn image(&self, w: u32, h: u32, quality: u8) -> Result<Image, RenderError> {
        self.scene.render(w, h, quality).await
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn resize(&self, client: Client, width: u32, height: u32, kind: Kind) {
        self.scene.resize(client, width, height, kind);
    }
    #[deprecated]
    #[cfg(feature = "export")]
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    fn export(&self, path: PathBuf) -> Result<(), wslink::Internal> {
        self.scene.export(path)
    }
    fn not_for_clients(&self) {}
}
#[allow(deprecated, non_upper_case_globals, unused_qualifications)]
const _: () = {
    #[allow(unused_imports)]
    use __rt::{NotSend as _, NotShared as _, OfAnyKind as _, Plain as _};
    use ::wslink::__private as __rt;
    const __method_image: __rt::MethodDescriptor = {
        fn __call(call: &mut __rt::Call<'_>) -> __rt::Called {
            let (a0, a1, a2) = (call.take::<u32>(0)?, call.take::<u32>(1)?, call.take_or::<u8>(2, || 90)?);
            let (this, reply) = call.shared::<Render>();
            __rt::Handlers::<Render>::asynchronous(async move {
                __rt::Returned(<Render>::image(&this, a0, a1, a2).await).send(&reply)
            })
        }
        __rt::method(
            ("myapp.render.window.image", "image", "Renders one still image.", false),
            __rt::here(),
            __rt::types!(fn(u32, u32, u8) -> Result<Image, RenderError>),
            &[
                __rt::required("w", __rt::KindOf::<u32>::KIND),
                __rt::required("h", __rt::KindOf::<u32>::KIND),
                __rt::optional("quality", __rt::KindOf::<u8>::KIND, "90"),
            ],
            __rt::terms(0, __rt::None),
            __call,
        )
    };
    const __method_resize: __rt::MethodDescriptor = {
        fn __call(call: &mut __rt::Call<'_>) -> __rt::Called {
            let (a0, a1, a2, a3) = (
                call.take::<Client>(0)?,
                call.take::<u32>(1)?,
                call.take::<u32>(2)?,
                call.take_or::<Kind>(3, || __rt::Default::default())?,
            );
            let (this, reply) = (call.service::<Render>(), call.reply());
            __rt::done(__rt::Returned(<Render>::resize(&this, a0, a1, a2, a3)).send(&reply))
        }
        __rt::method(
            ("myapp.render.window.resize", "resize", "", false),
            __rt::here(),
            __rt::types!(fn(Client, u32, u32, Kind) -> ()),
            &[
                __rt::required("client", __rt::KindOf::<Client>::KIND),
                __rt::required("width", __rt::KindOf::<u32>::KIND),
                __rt::required("height", __rt::KindOf::<u32>::KIND),
                __rt::optional("type", __rt::KindOf::<Kind>::KIND, "Default::default()"),
            ],
            __rt::terms(0, __rt::None),
            __call,
        )
    };
    #[cfg(feature = "export")]
    const __method_export: __rt::MethodDescriptor = {
        fn __call(call: &mut __rt::Call<'_>) -> __rt::Called {
            let (a0,) = (call.take::<PathBuf>(0)?,);
            let (this, reply) = call.shared::<Render>();
            __rt::Handlers::<Render>::blocking(move || __rt::Returned(<Render>::export(&this, a0)).send(&reply))
        }
        __rt::method(
            ("myapp.render.export", "export", "", true),
            __rt::here(),
            __rt::types!(fn(PathBuf) -> Result<(), wslink::Internal>),
            &[__rt::required("path", __rt::KindOf::<PathBuf>::KIND)],
            __rt::terms(0, __rt::None),
            __call,
        )
    };
    #[automatically_derived]
    impl __rt::Service for Render {
        const DESCRIPTOR: &'static __rt::ServiceDescriptor = &__rt::ServiceDescriptor {
            name: "Render",
            docs: "Renders frames.",
            type_id: __rt::type_id::<Self>,
            location: __rt::here(),
            package: __rt::env!("CARGO_PKG_NAME"),
            version: __rt::env!("CARGO_PKG_VERSION"),
            methods: &[
                __method_image,
                __method_resize,
                #[cfg(feature = "export")]
                __method_export,
            ],
            topics: &[__rt::TopicDescriptor {
                uri: "myapp.render.window.changed",
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
};
const _: () = {
    use self::*;
    use ::wslink::__private::attributes::*;
    #[rpc(__in_service)]
    const _: () = ();
    #[topic(__in_service)]
    const _: () = ();
};
