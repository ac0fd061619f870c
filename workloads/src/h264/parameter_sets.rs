//! Sequence and picture parameter sets (ITU-T H.264 7.3.2.1, 7.3.2.2) and the level (Annex A.3).

use super::bits::{BitSink, BitWriter};
use super::nal::{self, NalKind};

/// frame_num counts modulo 2 to this.
pub(super) const FRAME_NUM_BITS: u32 = 8;
/// Slices carry their QP as a difference from this.
pub(super) const PIC_INIT_QP: i32 = 26;

/// Table A-1 in rising order: level_idc, macroblocks a second, macroblocks a frame. Bit rate is not
/// looked at: with a fixed quantiser it is not known before.
const LEVELS: [(u32, u32, u32); 14] = [
    (10, 1_485, 99),
    (11, 3_000, 396),
    (12, 6_000, 396),
    (20, 11_880, 396),
    (21, 19_800, 792),
    (22, 20_250, 1_620),
    (30, 40_500, 1_620),
    (31, 108_000, 3_600),
    (32, 216_000, 5_120),
    (40, 245_760, 8_192),
    (42, 522_240, 8_704),
    (50, 589_824, 22_080),
    (51, 983_040, 36_864),
    (52, 2_073_600, 36_864),
];

/// The level's frame rate is a bound on decoders; the stream carries no clock, so the usual
/// highest rate of video is taken.
const FRAMES_PER_S: u32 = 60;

fn level_idc(macroblocks: u32) -> u32 {
    let fits = |&&(_, per_s, per_frame): &&(u32, u32, u32)| {
        macroblocks <= per_frame && macroblocks.saturating_mul(FRAMES_PER_S) <= per_s
    };
    LEVELS.iter().find(fits).map_or(62, |&(level, ..)| level)
}

/// Appends both parameter sets for pictures of this size in luma samples.
pub(super) fn append(stream: &mut Vec<u8>, width: u32, height: u32) {
    let mut bits = BitWriter::default();
    write_sequence(&mut bits, width, height);
    bits.finish(|payload| nal::append(stream, NalKind::SequenceParameterSet, payload));
    write_picture(&mut bits);
    bits.finish(|payload| nal::append(stream, NalKind::PictureParameterSet, payload));
}

fn write_sequence(bits: &mut BitWriter, width: u32, height: u32) {
    let (mbs_wide, mbs_high) = (width.div_ceil(16), height.div_ceil(16));
    bits.put(66, 8); // profile_idc: baseline
    bits.put(0b1100_0000, 8); // constraint_set0 and 1: also decodable as main
    bits.put(level_idc(mbs_wide * mbs_high), 8);
    bits.put_ue(0); // seq_parameter_set_id
    bits.put_ue(FRAME_NUM_BITS - 4); // log2_max_frame_num_minus4
    bits.put_ue(2); // pic_order_cnt_type: output order is decoding order
    bits.put_ue(1); // max_num_ref_frames
    bits.put(0, 1); // gaps_in_frame_num_value_allowed_flag
    bits.put_ue(mbs_wide - 1); // pic_width_in_mbs_minus1
    bits.put_ue(mbs_high - 1); // pic_height_in_map_units_minus1
    bits.put(1, 1); // frame_mbs_only_flag
    bits.put(1, 1); // direct_8x8_inference_flag
    let (right, bottom) = ((mbs_wide * 16 - width) / 2, (mbs_high * 16 - height) / 2);
    if right == 0 && bottom == 0 {
        bits.put(0, 1); // frame_cropping_flag
    } else {
        bits.put(1, 1);
        bits.put_ue(0); // frame_crop_left_offset
        bits.put_ue(right); // frame_crop_right_offset, in units of two luma samples
        bits.put_ue(0); // frame_crop_top_offset
        bits.put_ue(bottom); // frame_crop_bottom_offset
    }
    bits.put(0, 1); // vui_parameters_present_flag
}

fn write_picture(bits: &mut BitWriter) {
    bits.put_ue(0); // pic_parameter_set_id
    bits.put_ue(0); // seq_parameter_set_id
    bits.put(0, 1); // entropy_coding_mode_flag: CAVLC
    bits.put(0, 1); // bottom_field_pic_order_in_frame_present_flag
    bits.put_ue(0); // num_slice_groups_minus1
    bits.put_ue(0); // num_ref_idx_l0_default_active_minus1
    bits.put_ue(0); // num_ref_idx_l1_default_active_minus1
    bits.put(0, 1); // weighted_pred_flag
    bits.put(0, 2); // weighted_bipred_idc
    bits.put_se(PIC_INIT_QP - 26); // pic_init_qp_minus26
    bits.put_se(0); // pic_init_qs_minus26
    bits.put_se(0); // chroma_qp_index_offset
    bits.put(1, 1); // deblocking_filter_control_present_flag
    bits.put(0, 1); // constrained_intra_pred_flag
    bits.put(0, 1); // redundant_pic_cnt_present_flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_that_common_sizes_need() {
        assert_eq!(level_idc(99), 12);
        assert_eq!(level_idc(40 * 23), 31);
        assert_eq!(level_idc(80 * 45), 32);
        assert_eq!(level_idc(120 * 68), 42);
        assert_eq!(level_idc(256 * 256), 62);
    }

    #[test]
    fn both_sets_begin_with_their_headers() {
        let mut stream = Vec::new();
        append(&mut stream, 640, 360);
        assert_eq!(stream[..8], [0, 0, 0, 1, 0x67, 66, 0xc0, 31]);
        assert!(stream.windows(5).any(|w| w == [0, 0, 0, 1, 0x68]));
    }
}
