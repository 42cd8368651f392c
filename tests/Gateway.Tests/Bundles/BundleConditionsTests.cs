using System.Globalization;
using Gateway.Bundles;
using Gateway.Plans;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Bundles;

public class BundleConditionsTests
{
    private static readonly string Date = TestBundle.Modified.ToString("R", CultureInfo.InvariantCulture);

    private readonly BundlePlan _plan = TestBundle.Plan(TestBundle.Entry());
    private readonly HttpRequest _request = new DefaultHttpContext().Request;
    private readonly SentVersions _versions = new();

    public BundleConditionsTests() => _request.Method = HttpMethods.Get;

    [Theory]
    [InlineData("If-Match", true)]
    [InlineData("If-None-Match", true)]
    [InlineData("If-Modified-Since", true)]
    [InlineData("If-Unmodified-Since", true)]
    [InlineData("If-Range", false)]
    [InlineData("Range", false)]
    public void Only_a_condition_that_may_end_the_request_is_present(string name, bool expected)
    {
        _request.Headers[name] = "\"x\"";

        Assert.Equal(expected, BundleConditions.ArePresent(_request));
    }

    [Fact]
    public void A_request_without_headers_has_no_condition() => Assert.False(BundleConditions.ArePresent(_request));

    [Fact]
    public void A_client_that_has_the_version_gets_304_and_another_one_the_archive()
    {
        _request.Headers.IfNoneMatch = _plan.ETag;
        Assert.Equal(PreconditionResult.NotModified, BundleConditions.Require(_request, _plan, _versions));

        _request.Headers.IfNoneMatch = "\"other\"";

        Assert.Equal(PreconditionResult.ProceedWithoutRange, BundleConditions.Require(_request, _plan, _versions));
    }

    [Theory]
    [InlineData("If-Match", "\"other\"")]
    [InlineData("If-Unmodified-Since", "Thu, 01 Jan 2026 00:00:00 GMT")]
    public void An_unmet_condition_is_a_412_of_the_client(string name, string value)
    {
        _request.Headers[name] = value;

        var problem = Assert.Throws<BundleProblemException>(() => BundleConditions.Require(_request, _plan, _versions));

        Assert.Equal((412, FailureReason.ConditionFailed), (problem.StatusCode, problem.Reason));
        Assert.Contains("If-Match", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_date_is_evidence_only_of_the_one_version_that_this_process_has_sent_with_it()
    {
        _request.Headers.IfModifiedSince = Date;
        Assert.Equal(PreconditionResult.ProceedWithoutRange, BundleConditions.Require(_request, _plan, _versions));

        BundleConditions.NoteSent(_plan, _versions);
        Assert.Equal(PreconditionResult.NotModified, BundleConditions.Require(_request, _plan, _versions));
        BundleConditions.NoteSent(TestBundle.Plan(TestBundle.Entry(head: TestBundle.Head(etag: "\"v2\""))), _versions);

        Assert.Equal(PreconditionResult.ProceedWithoutRange, BundleConditions.Require(_request, _plan, _versions));
    }

    [Fact]
    public void Another_request_with_the_same_date_is_no_evidence()
    {
        _request.Headers.IfModifiedSince = Date;

        BundleConditions.NoteSent(TestBundle.Plan(TestBundle.Entry("s/other")), _versions);

        Assert.Equal(PreconditionResult.ProceedWithoutRange, BundleConditions.Require(_request, _plan, _versions));
    }

    [Fact]
    public void If_replicas_share_archives_a_date_is_never_evidence()
    {
        _request.Headers.IfModifiedSince = Date;

        BundleConditions.NoteSent(_plan, null);

        Assert.Equal(PreconditionResult.ProceedWithoutRange, BundleConditions.Require(_request, _plan, null));
    }

    [Fact]
    public void A_plan_without_an_ETag_is_not_remembered()
    {
        var plan = TestBundle.Plan(TestBundle.Entry(head: TestBundle.Head(etag: null)));
        _request.Headers.IfModifiedSince = Date;

        BundleConditions.NoteSent(plan, _versions);

        Assert.Null(plan.ETag);
        Assert.Equal(PreconditionResult.ProceedWithoutRange, BundleConditions.Require(_request, plan, _versions));
    }

    [Fact]
    public void A_pinned_link_has_one_version_so_a_date_identifies_it()
    {
        _request.Headers.IfModifiedSince = Date;

        var result = BundleConditions.Require(_request, Pin(_plan.ETag), versions: null);

        Assert.Equal(PreconditionResult.NotModified, result);
    }

    [Fact]
    public void A_pinned_link_to_another_version_is_a_412_whatever_the_headers_say()
    {
        _request.Headers.IfNoneMatch = _plan.ETag;

        var problem = Assert.Throws<BundleProblemException>(() => BundleConditions.Require(_request, Pin("\"0123\""), _versions));

        Assert.Equal((412, FailureReason.ConditionFailed), (problem.StatusCode, problem.Reason));
        Assert.Equal("The objects have changed since the link was made, and the link is pinned to the version of that time. Make a new link.", problem.Message);
    }

    [Theory]
    [InlineData("\"other\"", PreconditionResult.ProceedWithoutRange)]
    [InlineData(null, PreconditionResult.Proceed)]
    public void If_Range_names_the_version_whose_range_is_wanted(string? etag, PreconditionResult expected)
    {
        _request.Headers.Range = "bytes=1-";
        _request.Headers.IfRange = etag ?? _plan.ETag;

        Assert.Equal(expected, BundleConditions.Require(_request, _plan, _versions));
    }

    private static BundlePlan Pin(string? etag) => BundlePlan.Create(TestBundle.Request() with { PinnedETag = etag }, [TestBundle.Entry()]);
}
