namespace Gateway.Storage.Http;

/// <summary>Tokens, of which names of headers and content codings are made (RFC 9110, section 5.6.2).</summary>
internal static class HttpToken
{
    // Besides letters and digits.
    private const string Marks = "!#$%&'*+-.^_`|~";

    /// <summary>Whether a text is a token.</summary>
    public static bool IsToken(string text) => text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || Marks.Contains(c));
}
