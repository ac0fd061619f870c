//! Writing a block of levels in CAVLC (ITU-T H.264 9.2).

use super::bits::BitSink;
use super::cavlc_tables::{CHROMA_DC_TOTAL_ZEROS, Code, Context, RUN_BEFORE, TOTAL_ZEROS, coeff_token};

/// The order in which the coefficients of a block are scanned (Figure 8-8), as raster positions.
pub(super) const ZIGZAG: [usize; 16] = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];

/// How many levels are not zero: total_coeff.
pub(super) fn total_coeff(levels: &[i16]) -> u8 {
    levels.iter().map(|&level| u8::from(level != 0)).sum()
}

/// Writes 4, 15 or 16 levels in scan order: residual_block_cavlc (7.3.5.3.2).
pub(super) fn write_block(sink: &mut impl BitSink, levels: &[i16], context: Context) {
    // What is coded goes from the highest frequency to the lowest: levels, and the zeros that
    // come before each in scan order.
    let mut found = [(0i32, 0u32); 16];
    let (mut total, mut zeros) = (0, 0);
    for &level in levels {
        if level == 0 {
            zeros += 1;
        } else {
            found[total] = (i32::from(level), zeros);
            zeros = 0;
            total += 1;
        }
    }
    let found = &mut found[..total];
    found.reverse();
    let trailing_ones = found.iter().take(3).take_while(|(level, _)| level.abs() == 1).count();
    put_code(sink, coeff_token(context, total, trailing_ones));
    if total == 0 {
        return;
    }
    for &(level, _) in &found[..trailing_ones] {
        sink.put(u32::from(level < 0), 1); // trailing_ones_sign_flag
    }
    write_levels(sink, &found[trailing_ones..], total, trailing_ones);

    let total_zeros: u32 = found.iter().map(|&(_, zeros)| zeros).sum();
    if total < levels.len() {
        let table = if levels.len() == 4 { CHROMA_DC_TOTAL_ZEROS[total - 1] } else { TOTAL_ZEROS[total - 1] };
        put_code(sink, table[total_zeros as usize]);
    }
    let mut left = total_zeros as usize;
    for &(_, run) in &found[..total - 1] {
        if left == 0 {
            break;
        }
        put_code(sink, RUN_BEFORE[left.min(7) - 1][run as usize]);
        left -= run as usize;
    }
}

/// level_prefix and level_suffix (9.2.2.1), the parsing turned around.
fn write_levels(sink: &mut impl BitSink, levels: &[(i32, u32)], total: usize, trailing_ones: usize) {
    let mut suffix_length = u32::from(total > 10 && trailing_ones < 3);
    for (index, &(level, _)) in levels.iter().enumerate() {
        let magnitude = level.unsigned_abs();
        let mut code = 2 * magnitude - 2 + u32::from(level < 0);
        if index == 0 && trailing_ones < 3 {
            // One of magnitude 1 would have been a trailing one, so codes start later.
            code -= 2;
        }
        if suffix_length == 0 && code < 14 {
            sink.put(1, code + 1);
        } else if suffix_length == 0 && code < 30 {
            sink.put(1, 15);
            sink.put(code - 14, 4);
        } else if suffix_length > 0 && code < 15 << suffix_length {
            sink.put(1, (code >> suffix_length) + 1);
            sink.put(code & ((1 << suffix_length) - 1), suffix_length);
        } else {
            let escaped = code - if suffix_length == 0 { 30 } else { 15 << suffix_length };
            debug_assert!(escaped < 1 << 12, "level {level} is beyond the profile");
            sink.put(1, 16);
            sink.put(escaped & 0xfff, 12);
        }
        suffix_length = suffix_length.max(1);
        if magnitude > 3 << (suffix_length - 1) && suffix_length < 6 {
            suffix_length += 1;
        }
    }
}

fn put_code(sink: &mut impl BitSink, (length, bits): Code) {
    sink.put(u32::from(bits), u32::from(length));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bits as text.
    #[derive(Default)]
    struct Text(String);

    impl BitSink for Text {
        fn put(&mut self, value: u32, bits: u32) {
            for bit in (0..bits).rev() {
                self.0.push(if value >> bit & 1 == 1 { '1' } else { '0' });
            }
        }
    }

    fn written(levels: &[i16], context: Context) -> String {
        let mut text = Text::default();
        write_block(&mut text, levels, context);
        text.0
    }

    /// Reads a block back by the standard's parsing process: an oracle that shares only the tables.
    struct Reader<'a>(&'a [u8]);

    impl Reader<'_> {
        fn bits(&mut self, count: usize) -> u32 {
            let (now, rest) = self.0.split_at(count);
            self.0 = rest;
            now.iter().fold(0, |value, &bit| value << 1 | u32::from(bit == b'1'))
        }

        fn matches(&mut self, (length, bits): Code) -> bool {
            let length = length as usize;
            if length == 0 || length > self.0.len() {
                return false;
            }
            let found = Reader(self.0).bits(length) == u32::from(bits);
            if found {
                self.0 = &self.0[length..];
            }
            found
        }

        fn block(&mut self, length: usize, context: Context) -> Vec<i16> {
            let (total, ones) = (0..=length)
                .flat_map(|total| (0..=total.min(3)).map(move |ones| (total, ones)))
                .find(|&(total, ones)| self.matches(coeff_token(context, total, ones)))
                .unwrap();
            let mut levels = vec![0i16; length];
            let mut values = Vec::new();
            let mut suffix_length = usize::from(total > 10 && ones < 3);
            for index in 0..total {
                if index < ones {
                    values.push(1 - 2 * self.bits(1) as i32);
                    continue;
                }
                let prefix = (0..).take_while(|_| self.bits(1) == 0).count();
                let mut code = prefix.min(15) << suffix_length;
                let size = match prefix {
                    14 if suffix_length == 0 => 4,
                    15 => 12,
                    _ => suffix_length,
                };
                code += self.bits(size) as usize;
                if prefix >= 15 && suffix_length == 0 {
                    code += 15;
                }
                if index == ones && ones < 3 {
                    code += 2;
                }
                let value = if code % 2 == 0 { (code as i32 + 2) / 2 } else { (-(code as i32) - 1) / 2 };
                values.push(value);
                suffix_length = suffix_length.max(1);
                if value.abs() > 3 << (suffix_length - 1) && suffix_length < 6 {
                    suffix_length += 1;
                }
            }
            let mut left = 0;
            if total > 0 && total < length {
                let table: &[&[Code]] = if length == 4 { &CHROMA_DC_TOTAL_ZEROS } else { &TOTAL_ZEROS };
                left = table[total - 1].iter().position(|&code| self.matches(code)).unwrap();
            }
            let mut at = total + left;
            for (index, value) in values.into_iter().enumerate() {
                at -= 1;
                levels[at] = value as i16;
                if index + 1 < total && left > 0 {
                    let run =
                        RUN_BEFORE[left.min(7) - 1].iter().position(|&code| self.matches(code)).unwrap();
                    at -= run;
                    left -= run;
                }
            }
            levels
        }
    }

    #[test]
    fn an_empty_block_is_one_token() {
        assert_eq!(written(&[0; 16], Context::Neighbours(0)), "1");
        assert_eq!(written(&[0; 4], Context::ChromaDc), "01");
    }

    #[test]
    fn a_worked_example_comes_out_as_by_hand() {
        // 0, 3, 0, 1, −1, −1, 0, 1, 0…: five levels, three trailing ones, three zeros.
        let mut levels = [0; 16];
        levels[..8].copy_from_slice(&[0, 3, 0, 1, -1, -1, 0, 1]);
        assert_eq!(written(&levels, Context::Neighbours(0)), "000010001110010111101101");
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read_back(
            levels in prop::collection::vec(prop_oneof![4 => Just(0i16), 4 => -2i16..=2, 1 => -2000i16..=2000], 16),
            length in prop::sample::select(vec![4usize, 15, 16]),
            count in 0u8..=16,
        ) {
            let context = if length == 4 { Context::ChromaDc } else { Context::Neighbours(count) };
            let levels = &levels[..length];
            let text = written(levels, context);
            let mut reader = Reader(text.as_bytes());
            prop_assert_eq!(reader.block(length, context), levels);
            prop_assert!(reader.0.is_empty());
        }
    }
}
