//! The picture size at which an encode loop costs its share on this machine; loads that are alike are tried once.

use anyhow::Context as _;
use workloads::calibrate::calibrate;

use crate::{plan::EncodeLoad, progress::Progress};

/// Width and height.
pub(super) type Size = (u32, u32);

/// The sizes that were found.
#[derive(Default)]
pub(super) struct Sizes {
    found: Vec<(EncodeLoad, Size)>,
}

impl Sizes {
    /// That of a load. `place` names its point, where there are several.
    ///
    /// # Errors
    /// A load that cannot be run, or that no size suits.
    pub(super) fn of(
        &mut self,
        load: &EncodeLoad,
        place: Option<&str>,
        progress: &Progress,
    ) -> anyhow::Result<Size> {
        if let Some((_, size)) = self.found.iter().find(|(other, _)| other == load) {
            return Ok(*size);
        }
        let EncodeLoad { share, clock, encode } = load;
        let sized =
            calibrate(*share, clock, encode, &mut |text| progress.step(text)).with_context(
                || match place {
                    Some(name) => format!("at the point {name}"),
                    None => "sizing the encoder".to_owned(),
                },
            )?;
        let size = (sized.config.width, sized.config.height);
        self.found.push((load.clone(), size));
        Ok(size)
    }
}
