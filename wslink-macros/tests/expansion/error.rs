/// Why an image cannot be rendered.
#[derive(Debug, RpcError)]
enum RenderError {
    /// The view has no camera.
    #[rpc_error(code = 404)]
    NoCamera { view: String },
    #[rpc_error(code = 503, name = "busy", message = "busy for {0:.1} s")]
    Occupied(#[rpc_error(rename = "seconds")] f32),
    #[rpc_error(internal)]
    Io(#[from] std::io::Error),
}
