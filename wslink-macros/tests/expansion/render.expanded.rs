#[doc = " Renders frames."]
impl Render {
    #[doc = " A new frame is ready."]
    pub const CHANGED: Topic<Frame> =
        ::wslink::__private::topic::<Topic<Frame>, _>("myapp.render.window.changed", ::wslink::__private::Delivery::Latest);
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
#[allow(deprecated, unused_qualifications)]
const _: () = {
    use __rt::Plain as _;
    use ::wslink::__private as __rt;
    #[automatically_derived]
    impl __rt::Service for Render {
        const DESCRIPTOR: &'static __rt::ServiceDescriptor = &__rt::ServiceDescriptor {
            name: "Render",
            docs: "Renders frames.",
            type_id: __rt::type_id::<Self>,
            location: __rt::here!(),
            package: __rt::env!("CARGO_PKG_NAME"),
            version: __rt::env!("CARGO_PKG_VERSION"),
            methods: &[
                __rt::MethodDescriptor {
                    uri: "myapp.render.window.image",
                    name: "image",
                    docs: "Renders one still image.",
                    deprecated: false,
                    types: __rt::types!(fn(u32, u32, u8) -> Result<Image, RenderError>),
                    location: __rt::here!(),
                    parameters: &[__rt::required::<u32>("w"), __rt::required::<u32>("h"), __rt::optional::<u8>("quality", "90")],
                    terms: __rt::terms(0, __rt::None),
                    call: |call| {
                        let (a0, a1, a2) = (call.take::<u32>(0)?, call.take::<u32>(1)?, call.take_or::<u8>(2, || 90)?);
                        let (this, reply) = call.shared::<Self>();
                        __rt::future(async move { __rt::Returned(Self::image(&this, a0, a1, a2).await).send(&reply) })
                    },
                },
                __rt::MethodDescriptor {
                    uri: "myapp.render.window.resize",
                    name: "resize",
                    docs: "",
                    deprecated: false,
                    types: __rt::types!(fn(Client, u32, u32, Kind) -> ()),
                    location: __rt::here!(),
                    parameters: &[
                        __rt::required::<Client>("client"),
                        __rt::required::<u32>("width"),
                        __rt::required::<u32>("height"),
                        __rt::optional::<Kind>("type", "Default::default()"),
                    ],
                    terms: __rt::terms(0, __rt::None),
                    call: |call| {
                        let (a0, a1, a2, a3) = (
                            call.take::<Client>(0)?,
                            call.take::<u32>(1)?,
                            call.take::<u32>(2)?,
                            call.take_or::<Kind>(3, || __rt::Default::default())?,
                        );
                        let (this, reply) = (call.service::<Self>(), call.reply());
                        __rt::done(__rt::Returned(Self::resize(&this, a0, a1, a2, a3)).send(&reply))
                    },
                },
                #[cfg(feature = "export")]
                __rt::MethodDescriptor {
                    uri: "myapp.render.export",
                    name: "export",
                    docs: "",
                    deprecated: true,
                    types: __rt::types!(fn(PathBuf) -> Result<(), wslink::Internal>),
                    location: __rt::here!(),
                    parameters: &[__rt::required::<PathBuf>("path")],
                    terms: __rt::terms(0, __rt::None),
                    call: |call| {
                        let (a0,) = (call.take::<PathBuf>(0)?,);
                        let (this, reply) = call.shared::<Self>();
                        __rt::blocking(move || __rt::Returned(Self::export(&this, a0)).send(&reply))
                    },
                },
            ],
            topics: &[__rt::TopicDescriptor {
                uri: "myapp.render.window.changed",
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
};
const _: () = {
    use self::*;
    use ::wslink::__private::attributes::*;
    #[rpc(__in_service)]
    const _: () = ();
    #[topic(__in_service)]
    const _: () = ();
};
