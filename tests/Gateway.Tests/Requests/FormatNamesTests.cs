using Gateway.Archiving;
using Gateway.Requests;
using Gateway.Responses;

namespace Gateway.Tests.Requests;

public class FormatNamesTests
{
    [Theory]
    [InlineData(ArchiveFormat.TarGz, "tar.gz", "application/gzip", ".tar.gz .tgz")]
    [InlineData(ArchiveFormat.Tar, "tar", "application/x-tar", ".tar")]
    [InlineData(ArchiveFormat.TarZst, "tar.zst", "application/zstd", ".tar.zst")]
    [InlineData(ArchiveFormat.Zip, "zip", "application/zip", ".zip")]
    public void Every_format_has_a_name_a_media_type_and_extensions(ArchiveFormat format, string name, string mediaType, string extensions)
    {
        Assert.Equal((name, mediaType), (FormatNames.GetName(format), FormatNames.GetMediaType(format)));
        Assert.Equal(extensions.Split(' '), FormatNames.GetExtensions(format));
        Assert.Equal(format, FormatNames.Parse(name));
    }

    [Fact]
    public void No_format_is_forgotten() =>
        Assert.All(Enum.GetValues<ArchiveFormat>(), format => Assert.Equal(format, FormatNames.Parse(FormatNames.GetName(format))));

    [Fact]
    public void Tgz_is_another_name_of_tar_gz() => Assert.Equal(ArchiveFormat.TarGz, FormatNames.Parse("tgz"));

    [Theory]
    [InlineData("")]
    [InlineData("ZIP")]
    [InlineData(" zip")]
    [InlineData("targz")]
    [InlineData(".zip")]
    [InlineData("7z")]
    public void Any_other_name_is_a_400_that_lists_the_formats(string name)
    {
        var problem = Assert.Throws<BundleProblemException>(() => FormatNames.Parse(name));

        Assert.Equal((400, "format: one of tar.gz (or tgz), tar, tar.zst, zip."), (problem.StatusCode, problem.Message));
    }

    [Fact]
    public void A_value_that_is_no_format_has_neither_a_name_nor_a_media_type()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => FormatNames.GetName((ArchiveFormat)99));

        Assert.Throws<ArgumentOutOfRangeException>(() => FormatNames.GetMediaType((ArchiveFormat)99));
    }
}
