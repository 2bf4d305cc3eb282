//! The OpenAPI document, and whether an answer is as it says.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex};

use serde_json::{Value, json};

use super::client::Response;

const TEXT: &str = include_str!("../../openapi.json");

pub(crate) struct Document {
    root: Value,
    /// The operations whose answers were checked.
    checked: Mutex<BTreeSet<String>>,
}

impl Document {
    pub(crate) fn get() -> &'static Self {
        static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document {
            root: serde_json::from_str(TEXT).unwrap(),
            checked: Mutex::default(),
        });
        &DOCUMENT
    }

    pub(crate) fn root(&self) -> &Value {
        &self.root
    }

    /// The names of all operations.
    pub(crate) fn operations(&self) -> BTreeSet<String> {
        let items = self.root["paths"].as_object().unwrap().values();
        let operations = items.flat_map(|item| item.as_object().unwrap().values());
        operations
            .filter_map(|operation| operation["operationId"].as_str())
            .map(str::to_owned)
            .collect()
    }

    /// Panics unless every example of a body is as the document says that bodies are.
    pub(crate) fn check_examples(&self) {
        let items = self.root["paths"].as_object().unwrap().values();
        for operation in items.flat_map(|item| item.as_object().unwrap().values()) {
            let content = &operation["requestBody"]["content"]["application/json"];
            if let Some(example) = content.get("example") {
                self.validate(&content["schema"], example, "an example");
            }
        }
    }

    /// The operations whose answers were checked so far.
    pub(crate) fn checked(&self) -> BTreeSet<String> {
        self.checked.lock().unwrap().clone()
    }

    /// Panics unless the document has such an answer to such a request.
    pub(crate) fn check(
        &self,
        (method, path): (&str, &str),
        body: Option<&[u8]>,
        response: &Response,
    ) {
        let told = format!("{method} {path}: {response:?}");
        let operation = self.operation(method, path).unwrap_or_else(|| panic!("{told}"));
        self.checked.lock().unwrap().insert(operation["operationId"].as_str().unwrap().to_owned());

        let answer = &operation["responses"][response.status.to_string()];
        assert!(answer.is_object(), "not in the document: {told}");
        let answer = self.resolve(answer);
        self.check_headers(answer, response, &told);
        let content = answer["content"].as_object();
        if method == "HEAD" || content.is_none() {
            assert!(response.body.is_empty(), "{told}");
        } else {
            self.check_body(&answer["content"], response, &told);
        }
        let request = &operation["requestBody"]["content"]["application/json"]["schema"];
        if let (true, Some(body)) = (response.status < 300 && !request.is_null(), body) {
            self.validate(request, &serde_json::from_slice(body).unwrap(), &told);
        }
    }

    /// Panics unless a problem is as the document says problems are.
    pub(crate) fn check_problem(&self, response: &Response) {
        let kind = response.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{response:?}");
        let problem = response.json();
        self.validate(&json!({"$ref": "#/components/schemas/Problem"}), &problem, "a problem");
        assert_eq!(problem["status"], response.status, "{response:?}");
    }

    fn check_headers(&self, answer: &Value, response: &Response, told: &str) {
        for (name, header) in answer["headers"].as_object().into_iter().flatten() {
            let value = response.header(&name.to_ascii_lowercase());
            assert!(value.is_some() || header["required"] != true, "no {name}: {told}");
            if let Some(value) = value {
                let number = value.parse::<u64>().map(Value::from);
                let is_number = header["schema"]["type"] == "integer";
                let value = if is_number { number.unwrap() } else { value.into() };
                self.validate(&header["schema"], &value, told);
            }
        }
    }

    fn check_body(&self, content: &Value, response: &Response, told: &str) {
        let kind = response.header("content-type").unwrap_or_else(|| panic!("{told}"));
        assert!(content[kind].is_object(), "another type than in the document: {told}");
        if kind.ends_with("json") {
            self.validate(&content[kind]["schema"], &response.json(), told);
        }
        if kind == "application/problem+json" {
            self.check_problem(response);
        }
    }

    fn validate(&self, schema: &Value, value: &Value, told: &str) {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.root["components"],
            "allOf": [schema],
        });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}: {told}");
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let path = path.split('?').next()?;
        let fits = |template: &str| {
            let (mut parts, mut wanted) = (path.split('/'), template.split('/'));
            loop {
                match (parts.next(), wanted.next()) {
                    (None, None) => return true,
                    (Some(part), Some(wanted)) if part == wanted || wanted.starts_with('{') => {}
                    _ => return false,
                }
            }
        };
        let mut paths = self.root["paths"].as_object()?.iter();
        let (_, item) = paths.find(|(template, _)| fits(template))?;
        item.get(method.to_ascii_lowercase())
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
            Some(path) => self.root.pointer(path).unwrap(),
            None => value,
        }
    }
}
