using System.Text;
using Gateway.Requests;
using Microsoft.Net.Http.Headers;

namespace Fuzz.Targets;

/// <summary>The name of a download: for any input, the header is one line of ASCII that is parsed as a harmless name.</summary>
internal static class DispositionTarget
{
    public static void Run(byte[] input)
    {
        var name = DownloadName.From(Encoding.UTF8.GetString(input));
        var header = new ContentDispositionHeaderValue("attachment");
        header.SetHttpFileName(name + ".tar.gz");
        var line = header.ToString();
        FuzzTarget.Require(line.All(c => c is >= ' ' and < (char)0x7F), "a header is a line of ASCII");
        FuzzTarget.Require(ContentDispositionHeaderValue.Parse(line).FileNameStar == name + ".tar.gz", "a name is parsed back");
        FuzzTarget.Require(EntryNames.Unsafe(name) is null && !name.Contains('/'), "a name is a file in the download folder");
        FuzzTarget.Require(Encoding.UTF8.GetByteCount(name) <= 255 - 20, "a file system accepts it");
    }
}
