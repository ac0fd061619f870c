//! The slice header (ITU-T H.264 7.3.3).

use super::bits::BitSink;
use super::nal::NalKind;
use super::parameter_sets::{FRAME_NUM_BITS, PIC_INIT_QP};
use crate::latency::FrameKind;

/// What a slice header says about its picture; the same for all slices of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PictureHeader {
    pub(super) kind: FrameKind,
    /// Pictures since the last IDR picture.
    pub(super) frame_num: u32,
    /// Tells two IDR pictures in a row apart.
    pub(super) idr_pic_id: u32,
    pub(super) qp: u8,
}

impl PictureHeader {
    pub(super) const fn nal_kind(&self) -> NalKind {
        match self.kind {
            FrameKind::I => NalKind::IdrSlice,
            FrameKind::P => NalKind::Slice,
        }
    }
}

/// Writes the header of the slice that begins at macroblock `first_mb`.
pub(super) fn write(bits: &mut impl BitSink, header: &PictureHeader, first_mb: u32) {
    bits.put_ue(first_mb); // first_mb_in_slice
    // slice_type; 5 more says that all slices of the picture are alike.
    bits.put_ue(match header.kind {
        FrameKind::P => 5,
        FrameKind::I => 7,
    });
    bits.put_ue(0); // pic_parameter_set_id
    bits.put(header.frame_num % (1 << FRAME_NUM_BITS), FRAME_NUM_BITS); // frame_num
    match header.kind {
        FrameKind::I => {
            bits.put_ue(header.idr_pic_id); // idr_pic_id
            bits.put(0, 1); // no_output_of_prior_pics_flag
            bits.put(0, 1); // long_term_reference_flag
        }
        FrameKind::P => {
            bits.put(0, 1); // num_ref_idx_active_override_flag
            bits.put(0, 1); // ref_pic_list_modification_flag_l0
            bits.put(0, 1); // adaptive_ref_pic_marking_mode_flag
        }
    }
    bits.put_se(i32::from(header.qp) - PIC_INIT_QP); // slice_qp_delta
    bits.put_ue(0); // disable_deblocking_filter_idc: filtered, also over slice boundaries
    bits.put_se(0); // slice_alpha_c0_offset_div2
    bits.put_se(0); // slice_beta_offset_div2
}
