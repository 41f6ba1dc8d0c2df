/// Renders frames.
#[service]
impl Render {
    /// A new frame is ready.
    #[topic("myapp.render.window.changed", delivery = latest)]
    pub const CHANGED: Topic<Frame>;

    /// Renders one still image.
    #[rpc("myapp.render.window.image")]
    async fn image(&self, w: u32, h: u32, #[arg(default = 90)] quality: u8) -> Result<Image, RenderError> {
        self.scene.render(w, h, quality).await
    }

    #[rpc("myapp.render.window.resize")]
    fn resize(&self, client: Client, width: u32, height: u32, #[arg(default, rename = "type")] kind: Kind) {
        self.scene.resize(client, width, height, kind);
    }

    #[deprecated]
    #[cfg(feature = "export")]
    #[rpc("myapp.render.export", blocking)]
    fn export(&self, path: PathBuf) -> Result<(), wslink::Internal> {
        self.scene.export(path)
    }

    fn not_for_clients(&self) {}
}
