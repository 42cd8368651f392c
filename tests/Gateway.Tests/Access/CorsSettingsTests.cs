using Gateway.Access;

namespace Gateway.Tests.Access;

public class CorsSettingsTests
{
    [Theory]
    [InlineData("WebApp", "WebApp")]
    [InlineData("webapp", "WebApp")]
    [InlineData("other", "other")]
    public void A_policy_is_found_by_its_name_in_any_case(string name, string expected)
    {
        var settings = new CorsSettings { Policies = { ["WebApp"] = new CorsPolicySettings() } };

        Assert.Equal(expected, settings.GetName(name));
    }
}
