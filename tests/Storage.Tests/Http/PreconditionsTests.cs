using System.Globalization;
using Gateway.Storage.Http;
using Microsoft.AspNetCore.Http;

namespace Storage.Tests.Http;

public class PreconditionsTests
{
    private const string ETag = "\"v1\"";
    private static readonly DateTimeOffset Modified = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);
    private static readonly string[] ETags = ["", ETag, "\"other\"", "*"];
    private static readonly string[] Dates = ["", "EARLIER", "SAME", "LATER"];
    private static readonly (bool HasRange, string IfRange)[] Ranges = [(false, ""), (true, ""), (true, ETag), (true, "\"other\""), (true, "SAME")];
    private static readonly Version[] Versions = [new(ETag, Modified), new(null, Modified), new(ETag, null)];
    private static readonly Lazy<Outcome[]> Combinations = new(Combine);

    [Theory]
    [InlineData("\"v1\"", PreconditionResult.Proceed)]
    [InlineData("\"other\", \"v1\"", PreconditionResult.Proceed)]
    [InlineData("\"v1\" \t", PreconditionResult.Proceed)]
    [InlineData("*", PreconditionResult.Proceed)]
    [InlineData("\"other\"", PreconditionResult.Failed)]
    [InlineData("W/\"v1\"", PreconditionResult.Failed)]
    [InlineData("W/ ", PreconditionResult.Failed)]
    [InlineData("v1", PreconditionResult.Failed)]
    [InlineData("\"V1\"", PreconditionResult.Failed)]
    public void If_Match_compares_strongly(string value, PreconditionResult expected) =>
        Assert.Equal(expected, Evaluate("GET", new Conditions(IfMatch: value, HasRange: true)));

    [Theory]
    [InlineData("GET", "\"v1\"", PreconditionResult.NotModified)]
    [InlineData("HEAD", "\"v1\"", PreconditionResult.NotModified)]
    [InlineData("POST", "\"v1\"", PreconditionResult.Failed)]
    [InlineData("GET", "W/\"v1\"", PreconditionResult.NotModified)]
    [InlineData("GET", "\"other\", W/\"v1\"", PreconditionResult.NotModified)]
    [InlineData("GET", "*", PreconditionResult.NotModified)]
    [InlineData("POST", "*", PreconditionResult.Failed)]
    [InlineData("GET", "\"other\"", PreconditionResult.ProceedWithoutRange)]
    [InlineData("GET", "v1", PreconditionResult.ProceedWithoutRange)]
    public void If_None_Match_compares_weakly_and_another_version_permits_no_range(string method, string value, PreconditionResult expected) =>
        Assert.Equal(expected, Evaluate(method, new Conditions(IfNoneMatch: value, HasRange: true)));

    [Theory]
    [InlineData("EARLIER", false, DateEvidence.None, PreconditionResult.Failed)]
    [InlineData("SAME", false, DateEvidence.None, PreconditionResult.Proceed)]
    [InlineData("LATER", false, DateEvidence.None, PreconditionResult.Proceed)]
    [InlineData("EARLIER", true, DateEvidence.Equal, PreconditionResult.Failed)]
    [InlineData("LATER", true, DateEvidence.Equal, PreconditionResult.Failed)]
    [InlineData("LATER", true, DateEvidence.EqualOrLater, PreconditionResult.Failed)]
    [InlineData("SAME", true, DateEvidence.Equal, PreconditionResult.Proceed)]
    [InlineData("SAME", true, DateEvidence.EqualOrLater, PreconditionResult.ProceedWithoutRange)]
    [InlineData("SAME", true, DateEvidence.None, PreconditionResult.ProceedWithoutRange)]
    [InlineData("invalid", true, DateEvidence.Equal, PreconditionResult.ProceedWithoutRange)]
    public void If_Unmodified_Since_permits_a_range_only_for_an_equal_date_that_identifies_the_version(
        string date, bool hasRange, DateEvidence evidence, PreconditionResult expected) =>
        Assert.Equal(expected, Evaluate("GET", new Conditions(IfUnmodifiedSince: date, HasRange: hasRange), evidence));

    [Theory]
    [InlineData("GET", "EARLIER", DateEvidence.EqualOrLater, PreconditionResult.ProceedWithoutRange)]
    [InlineData("GET", "SAME", DateEvidence.EqualOrLater, PreconditionResult.NotModified)]
    [InlineData("GET", "LATER", DateEvidence.EqualOrLater, PreconditionResult.NotModified)]
    [InlineData("HEAD", "LATER", DateEvidence.EqualOrLater, PreconditionResult.NotModified)]
    [InlineData("GET", "SAME", DateEvidence.Equal, PreconditionResult.NotModified)]
    [InlineData("GET", "LATER", DateEvidence.Equal, PreconditionResult.ProceedWithoutRange)]
    [InlineData("GET", "SAME", DateEvidence.None, PreconditionResult.ProceedWithoutRange)]
    [InlineData("GET", "invalid", DateEvidence.EqualOrLater, PreconditionResult.ProceedWithoutRange)]
    [InlineData("POST", "SAME", DateEvidence.EqualOrLater, PreconditionResult.Proceed)]
    public void If_Modified_Since_ends_in_304_only_if_the_date_proves_the_version(string method, string date, DateEvidence evidence, PreconditionResult expected) =>
        Assert.Equal(expected, Evaluate(method, new Conditions(IfModifiedSince: date, HasRange: true), evidence));

    [Theory]
    [InlineData("\"v1\"", PreconditionResult.Proceed)]
    [InlineData("\"v1\" ", PreconditionResult.Proceed)]
    [InlineData("\"other\"", PreconditionResult.ProceedWithoutRange)]
    [InlineData("W/\"v1\"", PreconditionResult.ProceedWithoutRange)]
    [InlineData("W/ ", PreconditionResult.ProceedWithoutRange)]
    [InlineData("*", PreconditionResult.ProceedWithoutRange)]
    [InlineData("SAME", PreconditionResult.ProceedWithoutRange)]
    [InlineData("invalid", PreconditionResult.ProceedWithoutRange)]
    public void If_Range_permits_the_range_only_for_the_same_strong_ETag(string value, PreconditionResult expected) =>
        Assert.Equal(expected, Evaluate("GET", new Conditions(IfRange: value, HasRange: true), DateEvidence.EqualOrLater));

    [Theory]
    [InlineData("GET", false)]
    [InlineData("HEAD", true)]
    [InlineData("POST", true)]
    public void If_Range_counts_only_for_a_GET_with_a_range(string method, bool hasRange) =>
        Assert.Equal(PreconditionResult.Proceed, Evaluate(method, new Conditions(IfRange: "\"other\"", HasRange: hasRange)));

    [Fact]
    public void Two_values_of_a_header_that_has_one_are_no_evidence()
    {
        var date = Modified.ToString("R", CultureInfo.InvariantCulture);
        var headers = new HeaderDictionary { ["Range"] = "bytes=1-", ["If-Unmodified-Since"] = new([date, date]) };
        var twoTags = new HeaderDictionary { ["Range"] = "bytes=1-", ["If-Range"] = new([ETag, ETag]) };

        Assert.Equal(PreconditionResult.ProceedWithoutRange, Preconditions.Evaluate("GET", name => headers[name], new SelectedVersion(ETag, Modified, () => DateEvidence.Equal)));
        Assert.Equal(PreconditionResult.ProceedWithoutRange, Preconditions.Evaluate("GET", name => twoTags[name], new SelectedVersion(ETag, Modified, () => DateEvidence.Equal)));
    }

    [Fact]
    public void A_version_that_is_named_needs_no_evidence_of_its_date()
    {
        var headers = new HeaderDictionary { ["Range"] = "bytes=1-", ["If-Match"] = ETag, ["If-None-Match"] = "\"other\"", ["If-Range"] = ETag };

        var result = Preconditions.Evaluate("GET", name => headers[name], new SelectedVersion(ETag, Modified, () => throw new InvalidOperationException("asked")));

        Assert.Equal(PreconditionResult.Proceed, result);
    }

    [Fact]
    public void In_any_combination_an_unmet_If_Match_fails_and_nothing_else_is_looked_at() =>
        AssertAlways(
            one => one.IsMatchUnmet,
            one => one.Result == PreconditionResult.Failed);

    [Fact]
    public void In_any_combination_a_request_fails_only_by_an_unmet_condition() =>
        AssertAlways(
            one => one.Result == PreconditionResult.Failed,
            one => one.IsMatchUnmet
                || (one.Conditions is { IfMatch: "", IfUnmodifiedSince: "EARLIER" or "LATER" } && one.Version.Modified is not null)
                || (one.Method == "POST" && IsKnown(one.Conditions.IfNoneMatch, one.Version.ETag)));

    [Fact]
    public void In_any_combination_304_answers_a_safe_request_of_a_client_that_has_this_version() =>
        AssertAlways(
            one => one.Result == PreconditionResult.NotModified,
            one => one.Method != "POST"
                && (one.Conditions.IfNoneMatch.Length > 0
                    ? IsKnown(one.Conditions.IfNoneMatch, one.Version.ETag)
                    : one.Version.Modified is not null
                        && ((one.Conditions.IfModifiedSince == "SAME" && one.Evidence != DateEvidence.None) || (one.Conditions.IfModifiedSince == "LATER" && one.Evidence == DateEvidence.EqualOrLater))));

    [Fact]
    public void In_any_combination_a_client_that_has_this_version_by_name_gets_304_unless_another_condition_fails() =>
        AssertAlways(
            one => one.Method != "POST" && IsKnown(one.Conditions.IfNoneMatch, one.Version.ETag),
            one => one.Result is PreconditionResult.NotModified or PreconditionResult.Failed);

    [Fact]
    public void In_any_combination_a_range_is_sent_only_if_the_client_is_not_known_to_have_another_version() =>
        AssertAlways(
            one => one is { Method: "GET", Conditions.HasRange: true, Result: PreconditionResult.Proceed },
            one => one.Conditions.IfRange.Length > 0
                ? IsNamed(one.Conditions.IfRange, one.Version.ETag)
                : IsNamed(one.Conditions.IfMatch, one.Version.ETag)
                    || (one.Conditions is { IfNoneMatch: "", IfModifiedSince: "" }
                        && (one.Conditions.IfMatch == "*"
                            || one.Conditions.IfUnmodifiedSince.Length == 0
                            || (one is { Conditions.IfUnmodifiedSince: "SAME", Evidence: DateEvidence.Equal } && one.Version.Modified is not null))));

    [Fact]
    public void In_any_combination_a_range_is_sent_if_If_Range_names_the_version_and_no_condition_ends_the_request() =>
        AssertAlways(
            one => one is { Method: "GET", Conditions.HasRange: true } && IsNamed(one.Conditions.IfRange, one.Version.ETag),
            one => one.Result != PreconditionResult.ProceedWithoutRange);

    private static void AssertAlways(Func<Outcome, bool> premise, Func<Outcome, bool> conclusion)
    {
        var outcomes = Combinations.Value.Where(premise).ToArray();

        Assert.NotEmpty(outcomes);
        Assert.DoesNotContain(outcomes, one => !conclusion(one));
    }

    private static bool IsNamed(string value, string? etag) => value == ETag && etag == ETag;

    private static bool IsKnown(string value, string? etag) => value == "*" || IsNamed(value, etag);

    private static Outcome[] Combine() =>
    [
        .. from method in new[] { "GET", "HEAD", "POST" }
           from version in Versions
           from evidence in Enum.GetValues<DateEvidence>()
           from ifMatch in ETags
           from ifNoneMatch in ETags
           from since in Dates
           from modifiedSince in Dates
           from range in Ranges
           let conditions = new Conditions(ifMatch, ifNoneMatch, since, modifiedSince, range.IfRange, range.HasRange)
           select new Outcome(method, version, evidence, conditions, Evaluate(method, conditions, evidence, version)),
    ];

    private static PreconditionResult Evaluate(string method, Conditions conditions, DateEvidence evidence = DateEvidence.None, Version? version = null)
    {
        var (etag, modified) = version ?? Versions[0];
        return Preconditions.Evaluate(method, conditions.Get, new SelectedVersion(etag, modified, () => evidence));
    }

    private sealed record Version(string? ETag, DateTimeOffset? Modified);

    private sealed record Outcome(string Method, Version Version, DateEvidence Evidence, Conditions Conditions, PreconditionResult Result)
    {
        public bool IsMatchUnmet => Conditions.IfMatch is not ("" or "*") && !IsNamed(Conditions.IfMatch, Version.ETag);
    }

    private sealed record Conditions(
        string IfMatch = "", string IfNoneMatch = "", string IfUnmodifiedSince = "", string IfModifiedSince = "", string IfRange = "", bool HasRange = false)
    {
        private static readonly Dictionary<string, string> Written = new()
        {
            ["EARLIER"] = Modified.AddSeconds(-1).ToString("R", CultureInfo.InvariantCulture),
            ["SAME"] = Modified.ToString("R", CultureInfo.InvariantCulture),
            ["LATER"] = Modified.AddSeconds(1).ToString("R", CultureInfo.InvariantCulture),
        };

        public Microsoft.Extensions.Primitives.StringValues Get(string name) => name switch
        {
            "If-Match" => Value(IfMatch),
            "If-None-Match" => Value(IfNoneMatch),
            "If-Unmodified-Since" => Value(IfUnmodifiedSince),
            "If-Modified-Since" => Value(IfModifiedSince),
            "If-Range" => Value(IfRange),
            "Range" => Value(HasRange ? "bytes=1-" : ""),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "Not a condition."),
        };

        private static Microsoft.Extensions.Primitives.StringValues Value(string text) => text.Length == 0 ? default : Written.GetValueOrDefault(text, text);
    }
}
