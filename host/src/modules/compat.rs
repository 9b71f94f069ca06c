//! Whether a module's view of the interface and the host's are the same where both have one.

use abi_stable::abi_stability::abi_checking::{
    AbiInstability, AbiInstabilityErrors, check_layout_compatibility,
};
use abi_stable::type_layout::{TLFieldOrFunction, TypeLayout};

use super::Refusal;
use super::refusal::shown;

/// Compares two layouts of the interface. A table may only grow at its end, so the comparison has a
/// direction: all that the older one has, the newer one must have in the same place.
pub(super) fn compatible(
    older: &'static TypeLayout,
    newer: &'static TypeLayout,
) -> Result<(), Refusal> {
    check_layout_compatibility(older, newer).map_err(|errors| {
        Refusal::new("its view of the interface differs from this host's")
            .detail(first_difference(&errors))
            .hint("build it and the host from the same version of exeunt-api")
    })
}

/// Where the first difference lies and what it is; abi_stable's own text fills several pages.
fn first_difference(errors: &AbiInstabilityErrors) -> String {
    let deepest = errors.errors.iter().find(|error| !error.errs.is_empty());
    let Some((error, difference)) = deepest.and_then(|e| Some((e, e.errs.first()?))) else {
        return "no difference was named".to_owned();
    };
    let place: Vec<&str> = error
        .stack_trace
        .iter()
        .map(|level| match &level.expected {
            TLFieldOrFunction::Field(field) => field.name(),
            TLFieldOrFunction::Function(function) => function.name.as_str(),
        })
        .collect();
    let place = if place.is_empty() { "the root".to_owned() } else { place.join(" / ") };
    format!("at {}: {}", shown(&place), in_words(difference))
}

fn in_words(difference: &AbiInstability) -> String {
    use AbiInstability as D;
    match difference {
        D::FieldCountMismatch(n) => {
            format!("the older has {} fields, the newer {}", n.expected, n.found)
        }
        D::UnexpectedField(f) => format!(
            "the older has `{}` where the newer has `{}`",
            shown(f.expected.name()),
            shown(f.found.name())
        ),
        D::Name(t) => format!(
            "the older has the type {}, the newer {}",
            shown(&t.expected.to_string()),
            shown(&t.found.to_string())
        ),
        D::PackageVersion(v) => format!(
            "the older is of {}, the newer of {}",
            shown(&v.expected.to_string()),
            shown(&v.found.to_string())
        ),
        D::Size(n) => format!("the older has {} bytes, the newer {}", n.expected, n.found),
        D::MismatchedPrefixSize(n) => {
            format!("the older began with {} fields, the newer with {}", n.expected, n.found)
        }
        other => shown(&format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    //! The tables below are the same interface at several ages.
    #![allow(unsafe_code, reason = "abi_stable's derive writes some")]
    #![allow(dead_code, reason = "and accessors that nobody calls here")]

    use abi_stable::StableAbi;

    use super::*;

    mod first {
        #[repr(C)]
        #[derive(abi_stable::StableAbi)]
        #[sabi(kind(Prefix(prefix_ref = TableRef)))]
        #[sabi(missing_field(panic))]
        pub(super) struct Table {
            #[sabi(last_prefix_field)]
            pub(super) open: extern "C" fn(u32) -> i32,
        }
    }

    mod grown {
        #[repr(C)]
        #[derive(abi_stable::StableAbi)]
        #[sabi(kind(Prefix(prefix_ref = TableRef)))]
        #[sabi(missing_field(panic))]
        pub(super) struct Table {
            #[sabi(last_prefix_field)]
            pub(super) open: extern "C" fn(u32) -> i32,
            pub(super) close: extern "C" fn(u32) -> i32,
        }
    }

    mod changed {
        #[repr(C)]
        #[derive(abi_stable::StableAbi)]
        #[sabi(kind(Prefix(prefix_ref = TableRef)))]
        #[sabi(missing_field(panic))]
        pub(super) struct Table {
            #[sabi(last_prefix_field)]
            pub(super) open: extern "C" fn(u64) -> i32,
        }
    }

    const FIRST: &TypeLayout = <first::TableRef as StableAbi>::LAYOUT;
    const GROWN: &TypeLayout = <grown::TableRef as StableAbi>::LAYOUT;
    const CHANGED: &TypeLayout = <changed::TableRef as StableAbi>::LAYOUT;

    #[test]
    fn an_older_module_fits_a_host_that_grew() {
        assert_eq!(compatible(FIRST, FIRST), Ok(()));
        assert_eq!(compatible(FIRST, GROWN), Ok(()));
    }

    #[test]
    fn what_the_newer_lacks_is_named() {
        let refusal = compatible(GROWN, FIRST).unwrap_err();
        assert_eq!(refusal.message, "its view of the interface differs from this host's");
        let detail = refusal.detail.unwrap();
        assert!(detail.contains("the older has 2 fields, the newer 1"), "{detail}");
    }

    #[test]
    fn a_changed_function_is_named() {
        let detail = compatible(FIRST, CHANGED).unwrap_err().detail.unwrap();
        assert!(detail.contains("open"), "{detail}");
        assert!(detail.contains("the older has the type u32, the newer u64"), "{detail}");
    }
}
