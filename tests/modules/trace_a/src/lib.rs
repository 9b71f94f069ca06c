//! A tracing module for the tests; see the library `trace`.
#![forbid(unsafe_code)]

use exeunt_api::prelude::*;

struct TraceA;

impl Module for TraceA {
    type Config = trace::Config;

    fn init(config: Self::Config, reg: &mut Registrar<'_>) -> Result<()> {
        trace::register("trace_a", config, reg)
    }
}

export_module!(TraceA);
