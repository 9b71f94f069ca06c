//! Values survive the way to the host and back.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Value;
use crate::bridge::fake;

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let built = fake::value(value);
    assert_eq!(&built.read::<T>().unwrap(), value, "{built:?}");
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Shape {
    Point,
    Circle(f64),
    Box { width: u32, height: u32 },
    Pair(i8, i8),
}

#[test]
fn values_read_as_what_they_were_built_from() {
    same(&(true, -1_i64, 2.5, 'x', "text".to_owned()));
    same(&(Some(5_u8), None::<u8>, vec![1_u16, 2], ()));
    same(&BTreeMap::from([("one".to_owned(), 1_u32), ("two".to_owned(), 2)]));
    same(&[
        Shape::Point,
        Shape::Circle(1.0),
        Shape::Box { width: 1, height: 2 },
        Shape::Pair(-1, 1),
    ]);
}

#[test]
fn a_table_keeps_its_order_and_is_read_piece_by_piece() {
    #[derive(Serialize)]
    struct Uploaded<'a> {
        path: &'a str,
        bytes: u64,
    }
    let value = fake::value(&Uploaded { path: "/a", bytes: 7 });
    let names: Vec<&str> = value.entries().map(|(name, _)| name).collect();
    assert_eq!(names, ["path", "bytes"]);
    assert_eq!(value.get("bytes").and_then(Value::as_int), Some(7));
    assert_eq!(format!("{value:?}"), r#"{"path": "/a", "bytes": 7}"#);
    assert!(value.get("other").is_none() && value.as_str().is_none());
}

#[test]
fn what_the_model_has_not_is_an_error() {
    fake::install();
    let error = Value::build(&u64::MAX).unwrap_err();
    assert_eq!(error.to_string(), "18446744073709551615 does not fit into 64 bits with sign");
    let error = Value::build(&BTreeMap::from([(vec![1_u8], 2)])).unwrap_err();
    assert_eq!(error.to_string(), "the names in a table must be text");
    assert!(fake::value(&"text").read::<u8>().is_err());
    assert!(fake::value(&[1, 2, 3]).read::<(u8, u8)>().is_err());
}
