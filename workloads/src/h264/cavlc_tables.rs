//! The code tables of CAVLC (ITU-T H.264 Tables 9-5, 9-7 to 9-10), as (length, bits).
//!
//! The tests check that each table is prefix-free and that no more code space is left over than
//! the standard leaves.

/// A code word: its length in bits, and its bits.
pub(super) type Code = (u8, u8);

/// coeff_token by total_coeff, then trailing_ones, for 0 ≤ nC < 2.
const FEW: [[Code; 4]; 17] = [
    [(1, 1), (0, 0), (0, 0), (0, 0)],
    [(6, 5), (2, 1), (0, 0), (0, 0)],
    [(8, 7), (6, 4), (3, 1), (0, 0)],
    [(9, 7), (8, 6), (7, 5), (5, 3)],
    [(10, 7), (9, 6), (8, 5), (6, 3)],
    [(11, 7), (10, 6), (9, 5), (7, 4)],
    [(13, 15), (11, 6), (10, 5), (8, 4)],
    [(13, 11), (13, 14), (11, 5), (9, 4)],
    [(13, 8), (13, 10), (13, 13), (10, 4)],
    [(14, 15), (14, 14), (13, 9), (11, 4)],
    [(14, 11), (14, 10), (14, 13), (13, 12)],
    [(15, 15), (15, 14), (14, 9), (14, 12)],
    [(15, 11), (15, 10), (15, 13), (14, 8)],
    [(16, 15), (15, 1), (15, 9), (15, 12)],
    [(16, 11), (16, 14), (16, 13), (15, 8)],
    [(16, 7), (16, 10), (16, 9), (16, 12)],
    [(16, 4), (16, 6), (16, 5), (16, 8)],
];

/// The same for 2 ≤ nC < 4.
const SOME: [[Code; 4]; 17] = [
    [(2, 3), (0, 0), (0, 0), (0, 0)],
    [(6, 11), (2, 2), (0, 0), (0, 0)],
    [(6, 7), (5, 7), (3, 3), (0, 0)],
    [(7, 7), (6, 10), (6, 9), (4, 5)],
    [(8, 7), (6, 6), (6, 5), (4, 4)],
    [(8, 4), (7, 6), (7, 5), (5, 6)],
    [(9, 7), (8, 6), (8, 5), (6, 8)],
    [(11, 15), (9, 6), (9, 5), (6, 4)],
    [(11, 11), (11, 14), (11, 13), (7, 4)],
    [(12, 15), (11, 10), (11, 9), (9, 4)],
    [(12, 11), (12, 14), (12, 13), (11, 12)],
    [(12, 8), (12, 10), (12, 9), (11, 8)],
    [(13, 15), (13, 14), (13, 13), (12, 12)],
    [(13, 11), (13, 10), (13, 9), (13, 12)],
    [(13, 7), (14, 11), (13, 6), (13, 8)],
    [(14, 9), (14, 8), (14, 10), (13, 1)],
    [(14, 7), (14, 6), (14, 5), (14, 4)],
];

/// The same for 4 ≤ nC < 8.
const MANY: [[Code; 4]; 17] = [
    [(4, 15), (0, 0), (0, 0), (0, 0)],
    [(6, 15), (4, 14), (0, 0), (0, 0)],
    [(6, 11), (5, 15), (4, 13), (0, 0)],
    [(6, 8), (5, 12), (5, 14), (4, 12)],
    [(7, 15), (5, 10), (5, 11), (4, 11)],
    [(7, 11), (5, 8), (5, 9), (4, 10)],
    [(7, 9), (6, 14), (6, 13), (4, 9)],
    [(7, 8), (6, 10), (6, 9), (4, 8)],
    [(8, 15), (7, 14), (7, 13), (5, 13)],
    [(8, 11), (8, 14), (7, 10), (6, 12)],
    [(9, 15), (8, 10), (8, 13), (7, 12)],
    [(9, 11), (9, 14), (8, 9), (8, 12)],
    [(9, 8), (9, 10), (9, 13), (8, 8)],
    [(10, 13), (9, 7), (9, 9), (9, 12)],
    [(10, 9), (10, 12), (10, 11), (10, 10)],
    [(10, 5), (10, 8), (10, 7), (10, 6)],
    [(10, 1), (10, 4), (10, 3), (10, 2)],
];

/// The same for chroma DC (nC = −1).
const CHROMA_DC: [[Code; 4]; 5] = [
    [(2, 1), (0, 0), (0, 0), (0, 0)],
    [(6, 7), (1, 1), (0, 0), (0, 0)],
    [(6, 4), (6, 6), (3, 1), (0, 0)],
    [(6, 3), (7, 3), (7, 2), (6, 5)],
    [(6, 2), (8, 3), (8, 2), (7, 0)],
];

/// Which table a block's coeff_token comes from: nC of 9.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// The count expected from the neighbouring blocks.
    Neighbours(u8),
    /// A chroma DC block.
    ChromaDc,
}

/// coeff_token.
pub(super) fn coeff_token(context: Context, total: usize, trailing_ones: usize) -> Code {
    let table: &[[Code; 4]] = match context {
        Context::ChromaDc => &CHROMA_DC,
        Context::Neighbours(0 | 1) => &FEW,
        Context::Neighbours(2 | 3) => &SOME,
        Context::Neighbours(4..=7) => &MANY,
        // From 8 on the code has 6 bits: total_coeff − 1 and trailing_ones; 3 stands for none.
        Context::Neighbours(_) if total == 0 => return (6, 3),
        Context::Neighbours(_) => return (6, ((total - 1) << 2 | trailing_ones) as u8),
    };
    table[total][trailing_ones]
}

/// total_zeros by total_coeff − 1, then by its value, for blocks of 15 or 16 coefficients.
pub(super) const TOTAL_ZEROS: [&[Code]; 15] = [
    &[
        (1, 1),
        (3, 3),
        (3, 2),
        (4, 3),
        (4, 2),
        (5, 3),
        (5, 2),
        (6, 3),
        (6, 2),
        (7, 3),
        (7, 2),
        (8, 3),
        (8, 2),
        (9, 3),
        (9, 2),
        (9, 1),
    ],
    &[
        (3, 7),
        (3, 6),
        (3, 5),
        (3, 4),
        (3, 3),
        (4, 5),
        (4, 4),
        (4, 3),
        (4, 2),
        (5, 3),
        (5, 2),
        (6, 3),
        (6, 2),
        (6, 1),
        (6, 0),
    ],
    &[
        (4, 5),
        (3, 7),
        (3, 6),
        (3, 5),
        (4, 4),
        (4, 3),
        (3, 4),
        (3, 3),
        (4, 2),
        (5, 3),
        (5, 2),
        (6, 1),
        (5, 1),
        (6, 0),
    ],
    &[(5, 3), (3, 7), (4, 5), (4, 4), (3, 6), (3, 5), (3, 4), (4, 3), (3, 3), (4, 2), (5, 2), (5, 1), (5, 0)],
    &[(4, 5), (4, 4), (4, 3), (3, 7), (3, 6), (3, 5), (3, 4), (3, 3), (4, 2), (5, 1), (4, 1), (5, 0)],
    &[(6, 1), (5, 1), (3, 7), (3, 6), (3, 5), (3, 4), (3, 3), (3, 2), (4, 1), (3, 1), (6, 0)],
    &[(6, 1), (5, 1), (3, 5), (3, 4), (3, 3), (2, 3), (3, 2), (4, 1), (3, 1), (6, 0)],
    &[(6, 1), (4, 1), (5, 1), (3, 3), (2, 3), (2, 2), (3, 2), (3, 1), (6, 0)],
    &[(6, 1), (6, 0), (4, 1), (2, 3), (2, 2), (3, 1), (2, 1), (5, 1)],
    &[(5, 1), (5, 0), (3, 1), (2, 3), (2, 2), (2, 1), (4, 1)],
    &[(4, 0), (4, 1), (3, 1), (3, 2), (1, 1), (3, 3)],
    &[(4, 0), (4, 1), (2, 1), (1, 1), (3, 1)],
    &[(3, 0), (3, 1), (1, 1), (2, 1)],
    &[(2, 0), (2, 1), (1, 1)],
    &[(1, 0), (1, 1)],
];

/// total_zeros for chroma DC blocks.
pub(super) const CHROMA_DC_TOTAL_ZEROS: [&[Code]; 3] =
    [&[(1, 1), (2, 1), (3, 1), (3, 0)], &[(1, 1), (2, 1), (2, 0)], &[(1, 1), (1, 0)]];

/// run_before by zerosLeft − 1 (7 stands for more), then by its value.
pub(super) const RUN_BEFORE: [&[Code]; 7] = [
    &[(1, 1), (1, 0)],
    &[(1, 1), (2, 1), (2, 0)],
    &[(2, 3), (2, 2), (2, 1), (2, 0)],
    &[(2, 3), (2, 2), (2, 1), (3, 1), (3, 0)],
    &[(2, 3), (2, 2), (3, 3), (3, 2), (3, 1), (3, 0)],
    &[(2, 3), (3, 0), (3, 1), (3, 3), (3, 2), (3, 5), (3, 4)],
    &[
        (3, 7),
        (3, 6),
        (3, 5),
        (3, 4),
        (3, 3),
        (3, 2),
        (3, 1),
        (4, 1),
        (5, 1),
        (6, 1),
        (7, 1),
        (8, 1),
        (9, 1),
        (10, 1),
        (11, 1),
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The code space that the words leave over, in units of 2^-16; fails if two collide.
    fn space_left(codes: impl Iterator<Item = Code>) -> u32 {
        let codes: Vec<Code> = codes.collect();
        for (i, &(length, bits)) in codes.iter().enumerate() {
            assert!(length > 0 && u32::from(bits) < 1 << length);
            for &(longer, other) in codes.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, code)| code) {
                let prefix = longer >= length
                    && other >> (longer - length).min(7) == bits
                    && (longer - length < 8 || bits == 0);
                assert!(
                    !prefix || longer - length >= 8 && bits == 0 && other != 0,
                    "({length}, {bits}) begins ({longer}, {other})"
                );
            }
        }
        (1 << 16) - codes.iter().map(|&(length, _)| 1u32 << (16 - length)).sum::<u32>()
    }

    fn tokens(context: Context, most: usize) -> impl Iterator<Item = Code> {
        (0..=most)
            .flat_map(move |total| (0..=total.min(3)).map(move |ones| coeff_token(context, total, ones)))
    }

    #[test]
    fn coeff_tokens_are_prefix_free_and_fill_their_code_space() {
        // Left over: the words that would be zeros only, which could hide a start code.
        assert_eq!(space_left(tokens(Context::Neighbours(0), 16)), 1 << 1);
        assert_eq!(space_left(tokens(Context::Neighbours(2), 16)), 1 << 3);
        assert_eq!(space_left(tokens(Context::Neighbours(4), 16)), 1 << 6);
        assert_eq!(space_left(tokens(Context::ChromaDc, 4)), 0);
        // Of the 64 words of six bits, 62 have a meaning.
        assert_eq!(space_left(tokens(Context::Neighbours(8), 16)), 2 << 10);
    }

    #[test]
    fn zeros_and_runs_are_prefix_free_and_fill_their_code_space() {
        for (index, table) in TOTAL_ZEROS.iter().enumerate() {
            assert_eq!(table.len(), 16 - index);
            let left = space_left(table.iter().copied());
            assert_eq!(left, if index == 0 { 1 << 7 } else { 0 }, "total_coeff {}", index + 1);
        }
        for (index, table) in CHROMA_DC_TOTAL_ZEROS.iter().enumerate() {
            assert_eq!((table.len(), space_left(table.iter().copied())), (4 - index, 0));
        }
        for (index, table) in RUN_BEFORE.iter().enumerate() {
            let left = space_left(table.iter().copied());
            assert_eq!(left, if index == 6 { 1 << 5 } else { 0 }, "zerosLeft {}", index + 1);
        }
    }
}
