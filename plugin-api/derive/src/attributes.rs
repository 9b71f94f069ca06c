//! What stands above a field: its doc comment and `#[settings(..)]`.

use proc_macro2::TokenStream;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token};

/// `#[settings(..)]` of one field.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) default: Option<Default>,
    pub(crate) secret: bool,
}

/// `default` or `default = EXPR`.
pub(crate) enum Default {
    OfType,
    Is(Box<Expr>),
}

impl Attributes {
    pub(crate) fn of(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut found = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("settings"))
        {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("secret") {
                    found.secret = true;
                } else if meta.path.is_ident("default") {
                    found.default = Some(match meta.input.peek(Token![=]) {
                        true => Default::Is(Box::new(meta.value()?.parse()?)),
                        false => Default::OfType,
                    });
                } else {
                    return Err(meta.error("one of `default`, `default = EXPR`, `secret`"));
                }
                Ok(())
            })?;
        }
        Ok(found)
    }
}

/// The doc comment, its lines without the leading space.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => text(&pair.value),
        _ => None,
    });
    let lines: Vec<String> =
        lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect();
    lines.join("\n").trim().to_owned()
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// A default as JSON, if it can be said without running it.
pub(crate) fn json(default: &Expr) -> Option<String> {
    match default {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(text) => Some(quoted(&text.value())),
            Lit::Bool(flag) => Some(flag.value.to_string()),
            Lit::Int(number) => Some(number.base10_digits().to_owned()),
            Lit::Float(number) => number.base10_parse::<f64>().ok().map(|n| format!("{n:?}")),
            _ => None,
        },
        Expr::Unary(minus) if matches!(minus.op, syn::UnOp::Neg(_)) => {
            json(&minus.expr).map(|number| format!("-{number}"))
        }
        Expr::Call(call) => duration(call),
        _ => None,
    }
}

/// `Duration::from_secs(90)` and its like.
fn duration(call: &syn::ExprCall) -> Option<String> {
    let Expr::Path(function) = &*call.func else { return None };
    let mut names = function.path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let unit = match names.next()?.as_str() {
        "from_millis" => "ms",
        "from_secs" => "s",
        "from_mins" => "m",
        "from_hours" => "h",
        _ => return None,
    };
    let is_duration = names.next()? == "Duration";
    let number = call.args.first().and_then(json).filter(|_| is_duration)?;
    Some(quoted(&format!("{number}{unit}")))
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A default as the field's type: a text literal becomes a `String` or `PathBuf` by itself.
pub(crate) fn value(default: &Expr) -> TokenStream {
    match default {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            quote::quote!(::core::convert::Into::into(#default))
        }
        other => quote::quote!(#other),
    }
}
