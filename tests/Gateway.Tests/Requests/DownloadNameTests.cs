using CsCheck;
using Gateway.Requests;
using Microsoft.Net.Http.Headers;

namespace Gateway.Tests.Requests;

public class DownloadNameTests
{
    [Fact]
    public void Every_input_becomes_a_header_that_is_parsed_as_the_same_name() =>
        Gen.String.Sample(text =>
        {
            var name = DownloadName.From(text);
            var header = new ContentDispositionHeaderValue("attachment");
            header.SetHttpFileName(name);
            var line = header.ToString();
            return line.All(c => c is >= ' ' and < (char)0x7F)
                && ContentDispositionHeaderValue.Parse(line).FileNameStar == name
                && EntryNames.Unsafe(name) is null;
        });
}
