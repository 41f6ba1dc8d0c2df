#[service(crate = crate::reexported)]
impl Render {
    #[topic("myapp.render.window.changed", delivery = lates)]
    pub const CHANGED: Topic<Frame>;

    #[rpc("myapp.render.window.image")]
    fn image(&mut self) {
        self.width = 1;
    }

    #[rpc("myapp.render.window.resize")]
    fn resize(&self) {}
}
