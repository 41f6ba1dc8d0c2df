//! A field of an error may be called what clients tell errors apart by.

use wslink::{RpcError, rpc, service};

#[derive(Debug, PartialEq, RpcError)]
enum SensorError {
    #[rpc_error(code = 404, message = "no sensor {name}")]
    NoSensor { name: String, station: u32 },
    #[rpc_error(code = 405)]
    Fields { fields: u8 },
}

struct Sensors;

#[service]
impl Sensors {
    #[rpc("sensors.read")]
    fn read(&self, name: String) -> Result<u32, SensorError> {
        Err(SensorError::NoSensor { name, station: 1 })
    }
}

fn main() {
    let manifest = wslink::Manifest::of::<Sensors>().to_json();
    let manifest: String = manifest.split_whitespace().collect();
    let nested = r#""fields":{"properties":{"name":{"type":"string"}},"required":["name"],"type":"object"}"#;
    assert!(manifest.contains(nested) && manifest.contains(r#""name":{"const":"no_sensor"}"#), "{manifest}");
    let told = SensorError::NoSensor { name: "front".into(), station: 3 }.into_call_error();
    let data = told.data().unwrap();
    assert_eq!(told.message(), "no sensor front");
    assert_eq!(data.get("name").unwrap().as_str(), Some("no_sensor"));
    assert_eq!(data.get("station").unwrap(), &3.into());
    assert_eq!(data.get("fields").unwrap().get("name").unwrap().as_str(), Some("front"));
    assert_eq!(told.typed(), Some(SensorError::NoSensor { name: "front".into(), station: 3 }));
    let told = SensorError::Fields { fields: 7 }.into_call_error();
    assert_eq!(told.data().unwrap().get("fields").unwrap().get("fields").unwrap(), &7.into());
    assert_eq!(told.typed(), Some(SensorError::Fields { fields: 7 }));
}
