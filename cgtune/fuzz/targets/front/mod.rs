//! The whole way of a manifest, from bytes to the numbers of its pods.

use std::ops::ControlFlow;

use cgtune_core::convert::{
    Setting,
    pod::{PodConversion, defaults},
};
use cgtune_manifest::{Format, Object, objects};

pub(crate) fn read(bytes: &[u8], format: Format) {
    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
    let mut last = 0;
    let documents = objects(bytes, format, &mut |place, object| {
        assert!(place.line <= lines, "{place:?} of {lines} lines");
        assert!(place.document >= last, "documents come in order");
        last = place.document;
        match object {
            Ok(node) => convert(&node),
            Err(error) => {
                assert!(error.line <= lines, "{error} of {lines} lines");
                let _ = error.to_string();
            }
        }
        ControlFlow::Continue(())
    });
    assert!(documents >= last);
}

fn convert(node: &cgtune_manifest::Node) {
    match Object::read(node) {
        Ok(Object::Workload(mut workload)) => {
            defaults::apply(&mut workload.pod);
            let setting = Setting::default();
            if let Ok(done) = PodConversion::of(&workload.pod, &setting, "50%".parse().ok()) {
                let _ = done.explain(&workload.pod, &setting);
                for container in &done.containers {
                    let _ = container.cpu.explain(&container.asked, &setting);
                    container.cpu.warnings.iter().for_each(|warning| drop(warning.to_string()));
                }
            }
        }
        Ok(_) => {}
        Err(faults) => {
            assert!(!faults.is_empty());
            faults.iter().for_each(|fault| drop(fault.to_string()));
        }
    }
}
