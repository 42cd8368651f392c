namespace Gateway.Archiving.Deflate;

/// <summary>
/// Computes the CRC-32 of two concatenated pieces from the CRC-32 of each. A CRC is the remainder of its bytes as a polynomial over
/// GF(2), so bytes that follow only multiply the preceding ones by a power of x. Polynomials are represented as in RFC 1952,
/// section 8: the coefficient of x^0 in the highest bit.
/// </summary>
internal static class Crc32Combination
{
    private const uint Polynomial = 0xEDB88320;
    private const uint One = 1u << 31;

    /// <summary>x^(8·2^n) for every bit n of a length.</summary>
    private static readonly uint[] Powers = MakePowers();

    /// <param name="first">CRC-32 of the first piece.</param>
    /// <param name="second">CRC-32 of the second piece.</param>
    /// <param name="secondLength">Length of the second piece in bytes, 0 or more.</param>
    public static uint Combine(uint first, uint second, long secondLength)
    {
        var shift = One;
        for (var n = 0; secondLength > 0; n++, secondLength >>= 1)
        {
            if ((secondLength & 1) != 0)
            {
                shift = Multiply(shift, Powers[n]);
            }
        }

        return Multiply(shift, first) ^ second;
    }

    private static uint Multiply(uint one, uint other)
    {
        var product = 0u;
        for (var bit = One; bit != 0; bit >>= 1)
        {
            if ((one & bit) != 0)
            {
                product ^= other;
            }

            // Multiplies by x; a coefficient that exceeds the remainder's degree is reduced.
            other = (other & 1) != 0 ? (other >> 1) ^ Polynomial : other >> 1;
        }

        return product;
    }

    private static uint[] MakePowers()
    {
        var powers = new uint[63];
        var power = One >> 8; // x^8
        for (var n = 0; n < powers.Length; n++)
        {
            powers[n] = power;
            power = Multiply(power, power);
        }

        return powers;
    }
}
