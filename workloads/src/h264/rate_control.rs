//! The type of a picture and its QP, from the lookahead's estimate.
//!
//! A constant quality: QP moves by at most two around the configured one, coarser where a picture
//! changes more than usual (which hides the loss), finer where it changes less. There is no bit
//! rate to hold.

use super::lookahead::Estimate;
use crate::latency::FrameKind;

/// An I picture is what later ones are predicted from: it is coded finer.
const I_FINER: u8 = 3;
/// A change of the estimate by this factor moves QP by one. In 1/64.
const QP_STEP: u64 = 84;
const MOST_STEPS: u8 = 2;
/// From this part of the intra estimate on, prediction from the picture before gains too little:
/// a scene cut. In 1/64.
const CUT: u64 = 58;

/// What the rate control decides for a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) kind: FrameKind,
    pub(super) qp: u8,
    pub(super) scene_cut: bool,
}

/// The state between pictures.
#[derive(Clone, Debug)]
pub(super) struct RateControl {
    qp: u8,
    gop: u32,
    since_i: Option<u32>,
    /// The usual inter estimate: a moving average with a memory of about eight pictures.
    usual: Option<u64>,
}

impl RateControl {
    pub(super) const fn new(qp: u8, gop: u32) -> Self {
        Self { qp, gop, since_i: None, usual: None }
    }

    /// Starts a new stream.
    pub(super) fn reset(&mut self) {
        (self.since_i, self.usual) = (None, None);
    }

    pub(super) fn decide(&mut self, estimate: Estimate) -> Decision {
        let cut = estimate.inter.is_some_and(|inter| inter * 64 > estimate.intra * CUT);
        let due = self.since_i.is_none_or(|frames| frames + 1 >= self.gop);
        let Some(inter) = estimate.inter.filter(|_| !cut && !due) else {
            self.since_i = Some(0);
            if cut {
                self.usual = None;
            }
            // What is due anyway is no cut, unless the content says so too.
            return Decision { kind: FrameKind::I, qp: self.qp - I_FINER, scene_cut: cut };
        };
        self.since_i = self.since_i.map(|frames| frames + 1);
        let usual = self.usual.unwrap_or(inter);
        self.usual = Some((usual * 7 + inter) / 8);
        let steps = |mut more: u64, less: u64| {
            let mut steps = 0;
            while steps < MOST_STEPS && more * 64 > less * QP_STEP {
                more = more * 64 / QP_STEP;
                steps += 1;
            }
            steps
        };
        let qp = self.qp + steps(inter, usual) - steps(usual, inter);
        Decision { kind: FrameKind::P, qp, scene_cut: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn estimate(inter: u64) -> Estimate {
        Estimate { intra: 10_000, inter: Some(inter) }
    }

    #[test]
    fn an_i_picture_comes_first_and_then_every_gop() {
        let mut control = RateControl::new(28, 4);
        control.reset();
        let first = control.decide(Estimate { intra: 10_000, inter: None });
        assert_eq!(first, Decision { kind: FrameKind::I, qp: 25, scene_cut: false });
        let kinds: Vec<FrameKind> = (0..8).map(|_| control.decide(estimate(3000)).kind).collect();
        use FrameKind::{I, P};
        assert_eq!(kinds, [P, P, P, I, P, P, P, I]);
    }

    #[test]
    fn a_cut_is_an_i_picture_and_restarts_the_gop() {
        let mut control = RateControl::new(28, 4);
        control.decide(Estimate { intra: 10_000, inter: None });
        control.decide(estimate(3000));
        let cut = control.decide(estimate(9800));
        assert_eq!((cut.kind, cut.scene_cut), (FrameKind::I, true));
        assert_eq!(control.decide(estimate(3000)).kind, FrameKind::P);
    }

    #[test]
    fn qp_follows_the_estimate_within_two() {
        let mut control = RateControl::new(28, 60);
        control.decide(Estimate { intra: 10_000, inter: None });
        let mut qp = |inter| control.decide(estimate(inter)).qp;
        assert_eq!(qp(3000), 28);
        assert_eq!(qp(8000), 30);
        assert_eq!(qp(500), 26);
        assert_eq!(qp(2600), 28);
    }
}
