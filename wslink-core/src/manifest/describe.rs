//! From the descriptors of services to the document.

use std::collections::BTreeMap;

use schemars::Schema;
use serde_json::{Value, json};

use super::document::{
    Components, Delivery, Document, ErrorObject, Info, Method, MethodWslink, Param, ParamWslink, Service, Tag, Topic, TypedError,
    Wslink,
};
use crate::{
    error::{ErrorDescriptor, NESTED, is_nested},
    rpc::{Argument, MethodDescriptor, ParameterDescriptor, ParameterKind, ServiceDescriptor, TopicDescriptor},
    schema::{Schemas, rename, sorted},
    topic,
};

/// The version of OpenRPC that the document follows.
const OPENRPC: &str = "1.3.2";

/// The package whose services are every program's: they give it no name.
const OWN_PACKAGE: &str = "wslink";

/// How the source says `#[arg(default)]`.
const DEFAULT: &str = "Default::default()";

/// The document of `services`, sorted by URI, whatever their order.
pub(super) fn document(services: &[&ServiceDescriptor]) -> Document {
    let mut schemas = Schemas::default();
    let mut methods: Vec<_> = of_services(services, |service| service.methods);
    methods.sort_by_key(|(_, method)| method.uri);
    methods.dedup_by_key(|(_, method)| method.uri);
    let mut topics: Vec<_> = of_services(services, |service| service.topics);
    topics.sort_by_key(|(_, topic)| topic.uri);
    topics.dedup_by_key(|(_, topic)| topic.uri);
    let mut document = Document {
        openrpc: OPENRPC.to_owned(),
        info: info(services),
        methods: methods.into_iter().map(|(service, described)| method(service, described, &mut schemas)).collect(),
        components: Components::default(),
        wslink: Wslink {
            services: described(services),
            topics: topics.into_iter().map(|(service, described)| topic(service, described, &mut schemas)).collect(),
            limits: None,
        },
    };
    let (definitions, differing) = schemas.into_definitions();
    document.components.schemas = definitions;
    for sent in document.sent() {
        rename(sent, &differing);
    }
    document
}

impl Document {
    /// The schemas of what is sent.
    fn sent(&mut self) -> impl Iterator<Item = &mut Value> {
        let methods = self.methods.iter_mut().flat_map(|method| {
            let errors = method.wslink.errors.iter_mut().map(|error| &mut error.data);
            errors.chain(std::iter::once(&mut method.result.schema))
        });
        methods.chain(self.wslink.topics.iter_mut().map(|topic| &mut topic.payload))
    }
}

fn of_services<'a, T>(
    services: &[&'a ServiceDescriptor],
    items: impl Fn(&'a ServiceDescriptor) -> &'a [T],
) -> Vec<(&'a ServiceDescriptor, &'a T)> {
    services.iter().flat_map(|service| items(service).iter().map(|item| (*service, item))).collect()
}

/// Of the packages that the services belong to. Services of this one, such as that of `application.exit`, are no
/// part of a program's name.
fn info(services: &[&ServiceDescriptor]) -> Info {
    let all: BTreeMap<_, _> = services.iter().map(|service| (service.package, service.version)).collect();
    let others: BTreeMap<_, _> = all.clone().into_iter().filter(|(package, _)| *package != OWN_PACKAGE).collect();
    let packages = if others.is_empty() { all } else { others };
    Info {
        title: if packages.is_empty() { "wslink".to_owned() } else { packages.keys().copied().collect::<Vec<_>>().join(", ") },
        version: if packages.is_empty() { "0.0.0".to_owned() } else { packages.values().copied().collect::<Vec<_>>().join(", ") },
    }
}

fn described(services: &[&ServiceDescriptor]) -> Vec<Service> {
    let mut all: Vec<_> = services.iter().map(|one| Service { name: one.name.to_owned(), docs: one.docs.into() }).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all.dedup();
    all
}

fn method(service: &ServiceDescriptor, method: &MethodDescriptor, schemas: &mut Schemas) -> Method {
    let signature = (method.types.0)(schemas);
    let errors: Vec<_> = signature.errors.iter().map(|error| typed_error(error, schemas)).collect();
    let objects = errors.iter().map(|error| ErrorObject { code: error.code, message: error.message.clone() });
    Method {
        name: method.uri.to_owned(),
        docs: method.docs.into(),
        deprecated: method.deprecated,
        tags: vec![Tag { name: service.name.to_owned() }],
        param_structure: "either".to_owned(),
        params: params(method, signature.parameters),
        result: Param { name: "result".to_owned(), required: None, schema: sorted(signature.result.to_value()), wslink: None },
        errors: objects.collect(),
        wslink: MethodWslink {
            rest: method.parameters.iter().any(|parameter| parameter.kind == ParameterKind::Rest),
            timeout_ms: method.terms.timeout.and_then(|timeout| timeout.as_millis().try_into().ok()),
            require: method.terms.require.map(str::to_owned),
            errors,
        },
    }
}

/// Without those that come from the server.
fn params(method: &MethodDescriptor, types: Vec<Argument>) -> Vec<Param> {
    let all = method.parameters.iter().zip(types);
    all.filter(|(parameter, _)| parameter.kind == ParameterKind::Wire).map(|(parameter, types)| param(parameter, types)).collect()
}

fn param(parameter: &ParameterDescriptor, types: Argument) -> Param {
    let default = match parameter.default {
        Some(DEFAULT) => types.default,
        Some(source) => serde_json::from_str(source).ok(),
        None => None,
    };
    let source = parameter.default.filter(|_| default.is_none()).map(|source| ParamWslink { default: source.to_owned() });
    Param {
        name: parameter.name.to_owned(),
        required: Some(parameter.default.is_none() && !types.may_be_missing),
        schema: with_default(types.schema, default),
        wslink: source,
    }
}

fn with_default(schema: Schema, default: Option<Value>) -> Value {
    let mut schema = sorted(schema.to_value());
    let Some(default) = default else { return schema };
    // Beside a `$ref` nothing else counts.
    if schema.get("$ref").is_some() {
        schema = json!({ "allOf": [schema] });
    }
    match schema.as_object_mut() {
        Some(members) => drop(members.insert("default".to_owned(), default)),
        None => schema = json!({ "default": default }),
    }
    sorted(schema)
}

fn typed_error(error: &ErrorDescriptor, schemas: &mut Schemas) -> TypedError {
    let mut properties = serde_json::Map::new();
    properties.insert("name".to_owned(), json!({ "const": error.name }));
    let fields = (error.fields.0)(schemas).into_iter().map(|(name, schema)| (name.to_owned(), schema.to_value()));
    let (nested, plain): (serde_json::Map<_, _>, _) = fields.partition(|(name, _)| is_nested(name));
    let plain: serde_json::Map<_, _> = plain;
    properties.extend(plain);
    if !nested.is_empty() {
        let required: Vec<_> = nested.keys().cloned().collect();
        properties.insert(NESTED.to_owned(), json!({ "type": "object", "properties": nested, "required": required }));
    }
    let required: Vec<_> = properties.keys().cloned().collect();
    TypedError {
        name: error.name.to_owned(),
        docs: error.docs.into(),
        code: error.code,
        message: error.message.to_owned(),
        data: sorted(json!({ "type": "object", "properties": properties, "required": required })),
    }
}

fn topic(service: &ServiceDescriptor, topic: &TopicDescriptor, schemas: &mut Schemas) -> Topic {
    Topic {
        name: topic.uri.to_owned(),
        docs: topic.docs.into(),
        deprecated: topic.deprecated,
        service: service.name.to_owned(),
        delivery: match topic.delivery {
            topic::Delivery::Reliable => Delivery::Reliable,
            topic::Delivery::Latest => Delivery::Latest,
            topic::Delivery::DropOldest(count) => Delivery::DropOldest { count },
        },
        retain: topic.retain,
        require: topic.require.map(str::to_owned),
        payload: sorted((topic.payload.0)(schemas).to_value()),
        filter: topic.stream.as_ref().map(|stream| params(stream, (stream.types.0)(schemas).parameters)).unwrap_or_default(),
    }
}
