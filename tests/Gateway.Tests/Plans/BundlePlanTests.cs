using Gateway.Responses;

namespace Gateway.Tests.Plans;

public class BundlePlanTests
{
    [Fact]
    public void An_archive_holds_the_entries_that_exist_in_their_order()
    {
        var plan = TestBundle.Plan(TestBundle.Entry("s/a"), TestBundle.MissingEntry("s/m", 1), TestBundle.Entry("s/b", index: 2));

        Assert.Equal(["s/a", "s/m", "s/b"], plan.All.Select(entry => entry.Id));
        Assert.Equal(["s/a", "s/b"], plan.Entries.Select(entry => entry.Id));
        Assert.Equal((1, 200L), (plan.Skipped, plan.Size));
    }

    [Fact]
    public void The_time_of_a_bundle_is_that_of_its_newest_entry()
    {
        var newest = TestBundle.Head() with { Modified = TestBundle.Modified.AddDays(1) };

        var plan = TestBundle.Plan(TestBundle.Entry("s/a"), TestBundle.Entry("s/b", newest, 1), TestBundle.Entry("s/c", index: 2));

        Assert.Equal(TestBundle.Modified.AddDays(1), plan.Modified);
    }

    [Fact]
    public void The_layout_has_the_names_and_sizes_of_the_entries_and_last_the_receipt()
    {
        var plan = TestBundle.PlanWithReceipt(TestBundle.Entry("s/a") with { Name = "x" }, TestBundle.MissingEntry("s/m", 1));

        Assert.Equal(["x", "MANIFEST.json"], plan.Layout!.Entries.Select(entry => entry.Name));
        Assert.Equal((100L, TestBundle.Modified), (plan.Layout.Entries[0].Size, plan.Layout.Entries[0].Modified));
        Assert.Equal(new(plan.ETag, plan.Layout, true), plan.Identity);
    }

    [Fact]
    public void Without_a_strong_validator_of_every_entry_there_is_a_layout_but_no_ETag()
    {
        var plan = TestBundle.Plan(TestBundle.Entry("s/a"), TestBundle.Entry("s/b", TestBundle.Head(etag: null), 1));

        Assert.Null(plan.ETag);
        Assert.NotNull(plan.Layout);
        Assert.Equal(200, plan.Size);
    }

    [Fact]
    public void A_plan_in_which_an_entry_was_not_checked_has_only_the_declared_sizes()
    {
        var plan = TestBundle.Plan(TestBundle.Entry("s/a"), TestBundle.Entry("s/b", index: 1) with { IsChecked = false });

        Assert.Equal((null, null, null), (plan.ETag, plan.Layout, plan.Modified));
        Assert.Equal(200, plan.Size);
        Assert.Equal(new(null, null, false), plan.Identity);
    }

    [Fact]
    public void A_size_is_known_only_if_every_entry_has_one() =>
        Assert.Null(TestBundle.Plan(TestBundle.Entry("s/a"), TestBundle.Entry("s/b", index: 1) with { IsChecked = false, Head = TestBundle.Head(size: null) }).Size);

    [Fact]
    public void If_every_entry_is_missing_there_is_no_archive()
    {
        var plan = TestBundle.Plan(TestBundle.MissingEntry("s/m", 0));

        Assert.Empty(plan.Entries);
        Assert.Equal((1, 0L), (plan.Skipped, plan.Size));
        Assert.Equal((null, null, null), (plan.ETag, plan.Layout, plan.Modified));
    }

    [Fact]
    public void A_sum_of_sizes_never_overflows()
    {
        var entry = TestBundle.Entry(head: TestBundle.Head(long.MaxValue)) with { IsChecked = false };

        Assert.Equal(long.MaxValue, TestBundle.Plan(entry, entry with { Index = 1 }).Size);
    }

    [Fact]
    public void An_archive_of_more_than_2_to_the_63_bytes_is_too_large()
    {
        var entry = TestBundle.Entry(head: TestBundle.Head(long.MaxValue / 2));

        var problem = Assert.Throws<BundleProblemException>(() => TestBundle.Plan(entry, TestBundle.Entry("s/b", entry.Head, 1), TestBundle.Entry("s/c", entry.Head, 2)));

        Assert.Equal((413, "The archive would have more than 2^63 bytes."), (problem.StatusCode, problem.Message));
    }
}
