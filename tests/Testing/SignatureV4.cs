using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Testing;

/// <summary>
/// AWS Signature Version 4 in headers, written from its specification without an SDK: verifies requests as S3 does, and signs them.
/// By default it is stricter than AWS and accepts only what every compatible store accepts.
/// </summary>
internal sealed record SignatureV4(string AccessKey, string SecretKey, string Region)
{
    public const string Algorithm = "AWS4-HMAC-SHA256";
    private const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";
    private const string Unsigned = "UNSIGNED-PAYLOAD";

    private static readonly ConcurrentDictionary<(string Secret, string Scope), byte[]> Keys = new();

    /// <summary>The session token that requests must carry; null: none.</summary>
    public string? SessionToken { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How old a signature may be.</summary>
    public TimeSpan MaxSkew { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Require that the target on the wire is the canonical one, because not every store escapes it again before it verifies, and that
    /// only <c>host</c> and <c>x-amz-*</c> are signed, because proxies may change other headers.</summary>
    public bool IsStrict { get; init; } = true;

    /// <summary>The canonical path: every byte except A-Z a-z 0-9 - . _ ~ / is escaped once, in upper case.</summary>
    public static string EscapePath(string key) => Escape(Encoding.UTF8.GetBytes(key), keepSlashes: true);

    /// <summary>The access key that a request is signed with; null: it is not signed.</summary>
    public static string? AccessKeyOf(ScriptedRequest request) => Authorization.Parse(request.Header("Authorization"))?.Scope[0];

    /// <summary>The region that a request is signed for; null: it is not signed.</summary>
    public static string? RegionOf(ScriptedRequest request) => Authorization.Parse(request.Header("Authorization"))?.Scope[2];

    /// <summary>The error code with which S3 refuses the request, and the reason; null: its signature is valid.</summary>
    public (string Code, string Reason)? Verify(ScriptedRequest request)
    {
        if (request.Header("Authorization") is not { } header)
        {
            return ("AccessDenied", "the request is not signed");
        }

        if (Authorization.Parse(header) is not { } authorization)
        {
            return ("AuthorizationHeaderMalformed", $"Authorization: {header}");
        }

        if (authorization.Scope[0] != AccessKey)
        {
            return ("InvalidAccessKeyId", $"access key {authorization.Scope[0]}");
        }

        var time = request.Header("x-amz-date") ?? "";
        if (!DateTimeOffset.TryParseExact(time, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signed))
        {
            return ("AccessDenied", $"x-amz-date: {time}");
        }

        if (authorization.Scope[1..] is not [var date, var region, "s3", "aws4_request"] || region != Region || date != time[..8])
        {
            return ("AuthorizationHeaderMalformed", $"scope {string.Join('/', authorization.Scope)} instead of {time[..8]}/{Region}/s3/aws4_request");
        }

        if (request.Header("x-amz-security-token") != SessionToken)
        {
            return ("InvalidToken", $"x-amz-security-token: {request.Header("x-amz-security-token")}");
        }

        if ((Clock.GetUtcNow() - signed).Duration() > MaxSkew)
        {
            return ("RequestTimeTooSkewed", $"signed at {signed:u}, and now it is {Clock.GetUtcNow():u}");
        }

        return VerifyHeaders(request, authorization) ?? VerifySignature(request, authorization, time);
    }

    /// <summary>The string that is signed; a real store repeats it in its error.</summary>
    public string StringToSign(ScriptedRequest request)
    {
        var authorization = Authorization.Parse(request.Header("Authorization"));
        return authorization is null ? "" : StringToSign(request, authorization.SignedHeaders, request.Header("x-amz-date") ?? "", authorization.Scope[1]);
    }

    /// <summary>A signed request without a body.</summary>
    public HttpRequestMessage CreateRequest(HttpMethod method, Uri uri, params (string Name, string Value)[] headers)
    {
        var time = Clock.GetUtcNow().ToString(TimeFormat, CultureInfo.InvariantCulture);
        var signed = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["host"] = uri.Authority,
            ["x-amz-content-sha256"] = Hash(""),
            ["x-amz-date"] = time,
        };
        if (SessionToken is not null)
        {
            signed["x-amz-security-token"] = SessionToken;
        }

        foreach (var (name, value) in headers.Where(header => IsAmazon(header.Name)))
        {
            signed[name] = value;
        }

        string[] names = [.. signed.Keys.Select(name => name.ToLowerInvariant()).Order(StringComparer.Ordinal)];
        var signature = Sign(StringToSign(new ScriptedRequest(method.Method, uri.PathAndQuery, signed), names, time, time[..8]), time[..8]);
        var message = new HttpRequestMessage(method, uri);
        foreach (var (name, value) in signed.Select(pair => (pair.Key, pair.Value)).Concat(headers.Where(header => !IsAmazon(header.Name))))
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        message.Headers.Authorization = new AuthenticationHeaderValue(
            Algorithm, $"Credential={AccessKey}/{time[..8]}/{Region}/s3/aws4_request,SignedHeaders={string.Join(';', names)},Signature={signature}");
        return message;
    }

    private (string Code, string Reason)? VerifyHeaders(ScriptedRequest request, Authorization authorization)
    {
        var payload = request.Header("x-amz-content-sha256");
        if (payload is null)
        {
            return ("InvalidRequest", "x-amz-content-sha256 is missing");
        }

        if (payload != Unsigned && payload != Hash(""))
        {
            return ("XAmzContentSHA256Mismatch", $"x-amz-content-sha256: {payload}");
        }

        var (names, missing) = (authorization.SignedHeaders, request.Headers.Keys.Where(IsAmazon).Append("host").Except(authorization.SignedHeaders, StringComparer.OrdinalIgnoreCase).ToArray());
        if (missing.Length > 0)
        {
            return ("AccessDenied", $"headers present in the request which were not signed: {string.Join(", ", missing)}");
        }

        if (IsStrict && names.FirstOrDefault(name => name != "host" && !IsAmazon(name)) is { } extra)
        {
            return ("SignatureDoesNotMatch", $"a proxy may change the signed header {extra}");
        }

        return IsStrict && Canonical(request.Path) is var canonical && canonical.Target != request.Path
            ? ("SignatureDoesNotMatch", $"the target is {request.Path} instead of {canonical.Target}")
            : null;
    }

    private (string Code, string Reason)? VerifySignature(ScriptedRequest request, Authorization authorization, string time) =>
        authorization.Signature == Sign(StringToSign(request, authorization.SignedHeaders, time, time[..8]), time[..8]) ? null : ("SignatureDoesNotMatch", "another signature");

    private string StringToSign(ScriptedRequest request, string[] signedHeaders, string time, string date)
    {
        var (_, path, query) = Canonical(request.Path);
        var headers = string.Concat(signedHeaders.Select(name => $"{name}:{string.Join(' ', (request.Header(name) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))}\n"));
        var canonical = $"{request.Method}\n{path}\n{query}\n{headers}\n{string.Join(';', signedHeaders)}\n{request.Header("x-amz-content-sha256")}";
        return $"{Algorithm}\n{time}\n{date}/{Region}/s3/aws4_request\n{Hash(canonical)}";
    }

    /// <summary>A target with every part escaped canonically, but its parameters in their order; and the two parts that are signed.</summary>
    private static (string Target, string Path, string Query) Canonical(string target)
    {
        var (path, query) = target.Split('?', 2) is [var before, var after] ? (before, after) : (target, "");
        path = Escape(Unescape(path), keepSlashes: true);
        var parameters = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(parameter => parameter.Split('=', 2))
            .Select(pair => (Name: Escape(Unescape(pair[0]), keepSlashes: false), Value: pair.Length > 1 ? Escape(Unescape(pair[1]), keepSlashes: false) : null)).ToArray();
        var sorted = parameters.OrderBy(parameter => parameter.Name, StringComparer.Ordinal).ThenBy(parameter => parameter.Value, StringComparer.Ordinal);
        var sent = string.Join('&', parameters.Select(parameter => parameter.Value is null ? parameter.Name : $"{parameter.Name}={parameter.Value}"));
        return (target.Contains('?', StringComparison.Ordinal) ? $"{path}?{sent}" : path, path, string.Join('&', sorted.Select(parameter => $"{parameter.Name}={parameter.Value}")));
    }

    private string Sign(string text, string date)
    {
        var key = Keys.GetOrAdd((SecretKey, $"{date}/{Region}"), _ => new[] { date, Region, "s3", "aws4_request" }.Aggregate(Encoding.UTF8.GetBytes($"AWS4{SecretKey}"), Mac));
        return Convert.ToHexStringLower(Mac(key, text));
    }

    private static bool IsAmazon(string header) => header.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase);

    private static byte[] Mac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The bytes, even if they are not UTF-8.</summary>
    private static byte[] Unescape(string text)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < text.Length; i++)
        {
            var isEscape = text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]);
            bytes.Add(isEscape ? Convert.FromHexString(text.AsSpan(i + 1, 2))[0] : (byte)text[i]);
            i += isEscape ? 2 : 0;
        }

        return [.. bytes];
    }

    private static string Escape(byte[] bytes, bool keepSlashes) => string.Concat(bytes.Select(b =>
        char.IsAsciiLetterOrDigit((char)b) || "-._~".Contains((char)b, StringComparison.Ordinal) || (keepSlashes && b == '/') ? ((char)b).ToString() : $"%{b:X2}"));

    private sealed record Authorization(string[] Scope, string[] SignedHeaders, string Signature)
    {
        public static Authorization? Parse(string? header)
        {
            if (header?.StartsWith(Algorithm + " ", StringComparison.Ordinal) != true)
            {
                return null;
            }

            var parts = header[Algorithm.Length..].Split(',').Select(part => part.Trim().Split('=', 2)).Where(part => part.Length == 2).ToDictionary(part => part[0], part => part[1]);
            var scope = parts.GetValueOrDefault("Credential", "").Split('/');
            return scope.Length == 5 ? new(scope, parts.GetValueOrDefault("SignedHeaders", "").Split(';'), parts.GetValueOrDefault("Signature", "")) : null;
        }
    }
}
