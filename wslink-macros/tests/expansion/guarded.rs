#[service]
impl Office {
    #[topic("office.drafts", require = "editor")]
    pub const DRAFTS: Topic<Draft>;

    #[topic("office.desk", require = "editor")]
    fn desk(&self) -> impl Stream<Item = u32> + Send + 'static {
        stream::empty()
    }

    #[rpc("office.write", require = "editor", timeout_ms = 500)]
    fn write(&self, principal: Principal, text: String) {}
}
