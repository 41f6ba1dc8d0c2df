// The stock client has no types.
declare module 'wslink/src/SmartConnect' {
  const SmartConnect: object;
  export default SmartConnect;
}
