#[allow(deprecated, unused_qualifications)]
const _: () = {
    use ::wslink::__private as __rt;
    #[automatically_derived]
    impl __rt::RpcError for RenderError {
        const VARIANTS: &'static [__rt::ErrorDescriptor] = &[
            __rt::ErrorDescriptor {
                name: "no_camera",
                code: 404i32,
                message: "The view has no camera",
                docs: "The view has no camera.",
                fields: __rt :: error_fields ! ("view" : String),
            },
            __rt::ErrorDescriptor {
                name: "busy",
                code: 503i32,
                message: "busy for {seconds} s",
                docs: "",
                fields: __rt :: error_fields ! ("seconds" : f32),
            },
        ];
        fn into_call_error(self) -> __rt::CallError {
            match &self {
                Self::NoCamera { view: f0, .. } => {
                    __rt::told(&self, &Self::VARIANTS[0], &[("view", __rt::error_field::<String>(f0))])
                }
                Self::Occupied { 0: f0, .. } => {
                    __rt::told(&self, &Self::VARIANTS[1], &[("seconds", __rt::error_field::<f32>(f0))])
                }
                Self::Io { .. } => __rt::internal(&self),
            }
        }
        fn from_call_error(error: &__rt::CallError) -> __rt::Option<Self> {
            #[allow(unused_imports)]
            use __rt::Unread as _;
            match __rt::told_variant(error, Self::VARIANTS)? {
                0 => __rt::Some(Self::NoCamera { view: __rt::FieldOf::<String>::read(error, "view")? }),
                1 => __rt::Some(Self::Occupied { 0: __rt::FieldOf::<f32>::read(error, "seconds")? }),
                _ => __rt::None,
            }
        }
    }
    #[automatically_derived]
    impl __rt::Display for RenderError {
        fn fmt(&self, f: &mut __rt::Formatter<'_>) -> __rt::FmtResult {
            match self {
                Self::NoCamera { .. } => f.write_str("The view has no camera"),
                Self::Occupied { 0: f0, .. } => __rt::write!(f, "busy for {f0:.1} s", f0 = f0),
                Self::Io { 0: f0, .. } => __rt::Display::fmt(f0, f),
            }
        }
    }
    #[automatically_derived]
    impl __rt::StdError for RenderError {
        fn source(&self) -> __rt::Option<&(dyn __rt::StdError + 'static)> {
            match self {
                Self::NoCamera { .. } => __rt::None,
                Self::Occupied { .. } => __rt::None,
                Self::Io { 0: f0, .. } => __rt::cause::<std::io::Error>(f0).source(),
            }
        }
    }
    #[automatically_derived]
    impl __rt::From<std::io::Error> for RenderError {
        fn from(source: std::io::Error) -> Self {
            Self::Io { 0: source }
        }
    }
};
