//! Building values through serde.

use std::fmt::Display;
use std::marker::PhantomData;

use serde::ser::{self, Serialize, Serializer};

use super::{Kind, Value};
use crate::bridge::Held;
use crate::{Error, Result};

/// Builds one value.
pub(super) struct Builder<'a>(PhantomData<Value<'a>>);

impl Builder<'_> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

/// A list or table that is being filled; perhaps the content of an enum's variant.
pub(super) struct Filling<'a> {
    whole: Value<'a>,
    variant: Option<&'static str>,
    key: Option<String>,
}

fn made(value: Option<Held<'_>>) -> Result<Value<'_>> {
    value.map(Value::new).ok_or_else(|| Error::new("the host could not make a value"))
}

fn whole_number(value: impl TryInto<i64> + Display + Copy) -> Result<i64> {
    value
        .try_into()
        .map_err(|_| Error::new(format_args!("{value} does not fit into 64 bits with sign")))
}

impl<'a> Filling<'a> {
    fn new(kind: Kind, variant: Option<&'static str>) -> Result<Self> {
        Ok(Self { whole: made(Held::new_empty(kind))?, variant, key: None })
    }

    fn push<T: Serialize + ?Sized>(&mut self, entry: &T) -> Result<()> {
        let entry = entry.serialize(Builder::new())?;
        match self.whole.held().push(entry.held()) {
            status if status < 0 => Err(Error::refused("an entry of a list", status)),
            _ => Ok(()),
        }
    }

    fn put<T: Serialize + ?Sized>(&mut self, key: &str, entry: &T) -> Result<()> {
        let entry = entry.serialize(Builder::new())?;
        match self.whole.held().put(key, entry.held()) {
            status if status < 0 => Err(Error::refused(format_args!("the entry `{key}`"), status)),
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<Value<'a>> {
        match self.variant {
            None => Ok(self.whole),
            Some(variant) => wrapped(variant, self.whole),
        }
    }
}

/// A table with one entry.
fn wrapped<'a>(variant: &str, content: Value<'a>) -> Result<Value<'a>> {
    let table = made(Held::new_empty(Kind::Table))?;
    match table.held().put(variant, content.held()) {
        status if status < 0 => Err(Error::refused(format_args!("the entry `{variant}`"), status)),
        _ => Ok(table),
    }
}

macro_rules! whole_numbers {
    ($($method:ident: $number:ty,)*) => {$(
        fn $method(self, value: $number) -> Result<Value<'a>> {
            made(Held::new_int(whole_number(value)?))
        }
    )*};
}

impl<'a> Serializer for Builder<'a> {
    type Ok = Value<'a>;
    type Error = Error;
    type SerializeSeq = Filling<'a>;
    type SerializeTuple = Filling<'a>;
    type SerializeTupleStruct = Filling<'a>;
    type SerializeTupleVariant = Filling<'a>;
    type SerializeMap = Filling<'a>;
    type SerializeStruct = Filling<'a>;
    type SerializeStructVariant = Filling<'a>;

    whole_numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_i128: i128, serialize_u128: u128,
    }

    fn serialize_bool(self, value: bool) -> Result<Value<'a>> {
        made(Held::new_bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Value<'a>> {
        made(Held::new_float(value.into()))
    }

    fn serialize_f64(self, value: f64) -> Result<Value<'a>> {
        made(Held::new_float(value))
    }

    fn serialize_char(self, value: char) -> Result<Value<'a>> {
        made(Held::new_str(value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_str(self, value: &str) -> Result<Value<'a>> {
        made(Held::new_str(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value<'a>> {
        made(Held::new_bytes(value))
    }

    fn serialize_none(self) -> Result<Value<'a>> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value<'a>> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value<'a>> {
        made(Held::new_empty(Kind::Null))
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value<'a>> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value<'a>> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Value<'a>> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value<'a>> {
        wrapped(variant, value.serialize(self)?)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Filling<'a>> {
        Filling::new(Kind::List, None)
    }

    fn serialize_tuple(self, _len: usize) -> Result<Filling<'a>> {
        Filling::new(Kind::List, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Filling<'a>> {
        Filling::new(Kind::List, None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Filling<'a>> {
        Filling::new(Kind::List, Some(variant))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Filling<'a>> {
        Filling::new(Kind::Table, None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Filling<'a>> {
        Filling::new(Kind::Table, None)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Filling<'a>> {
        Filling::new(Kind::Table, Some(variant))
    }
}

macro_rules! fills_lists {
    ($($kind:ident: $method:ident,)*) => {$(
        impl<'a> ser::$kind for Filling<'a> {
            type Ok = Value<'a>;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, entry: &T) -> Result<()> {
                self.push(entry)
            }

            fn end(self) -> Result<Value<'a>> {
                self.finish()
            }
        }
    )*};
}

fills_lists! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! fills_tables {
    ($($kind:ident,)*) => {$(
        impl<'a> ser::$kind for Filling<'a> {
            type Ok = Value<'a>;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                entry: &T,
            ) -> Result<()> {
                self.put(key, entry)
            }

            fn end(self) -> Result<Value<'a>> {
                self.finish()
            }
        }
    )*};
}

fills_tables! {
    SerializeStruct,
    SerializeStructVariant,
}

impl<'a> ser::SerializeMap for Filling<'a> {
    type Ok = Value<'a>;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        let key = key.serialize(Builder::new())?;
        let Some(name) = key.as_str() else {
            return Err(Error::new("the names in a table must be text"));
        };
        self.key = Some(name.to_owned());
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, entry: &T) -> Result<()> {
        match self.key.take() {
            Some(key) => self.put(&key, entry),
            None => Err(Error::new("a value in a table needs its name first")),
        }
    }

    fn end(self) -> Result<Value<'a>> {
        self.finish()
    }
}
