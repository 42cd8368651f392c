using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Zip;

/// <summary>Bytes with nothing around them: zip's method 0.</summary>
internal sealed class StoredRaw : StoredForm
{
    public static readonly StoredRaw Instance = new();

    public override int HeaderLength => 0;

    public override int EncodedLength(int plainLength) => plainLength;

    protected override int WriteInPlace(Span<byte> output, int plainLength) => plainLength;
}
