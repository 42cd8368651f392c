using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Encoders;

/// <summary>Stores every block and compresses none.</summary>
internal sealed class StoringBlockEncoder(StoredBlock form) : BlockEncoder
{
    public override StoredBlock Stored => form;

    public override string Name => "store";

    public override int BlockSize => ArchiveRecipe.StoreBlockSize;

    public override bool Stores => true;

    public override int TryEncode(ReadOnlySpan<byte> plain, Memory<byte> output) => 0;

    // A copy needs no test.
    protected override byte[] Decode(ReadOnlySpan<byte> encoded) => encoded.Slice(form.HeaderLength, ProbeBlock().Length).ToArray();
}
