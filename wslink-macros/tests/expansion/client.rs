#[service(client, schema)]
impl Render {
    /// A new frame is ready.
    #[topic("render.changed", delivery = latest)]
    pub const CHANGED: Topic<Frame>;

    /// Renders one still image.
    #[rpc("render.image")]
    fn image(&self, client: Client, size: Size, #[arg(default = 90)] quality: u8) -> Result<Image, RenderError> {
        self.scene.render(client, size, quality)
    }
}
